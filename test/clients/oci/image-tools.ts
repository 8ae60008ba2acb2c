import type { ImageTool } from "./image-tool.ts";

// Debian ships no policy of signatures without its own configuration files, and we bring none.
const SKOPEO = "--insecure-policy";
const HTTP = "--plain-http";

/** The command lines of skopeo. */
export const skopeo: ImageTool = {
  login: (host, user, password) => [
    SKOPEO,
    "login",
    "--tls-verify=false",
    "--username",
    user,
    "--password",
    password,
    host,
  ],
  passwordOnInput: false,
  push: (layout, name, reference) => [
    SKOPEO,
    "copy",
    "--all",
    "--dest-tls-verify=false",
    `oci:${layout}:${name}`,
    `docker://${reference}`,
  ],
  pull: (reference, layout, name) => [
    SKOPEO,
    "copy",
    "--all",
    "--src-tls-verify=false",
    `docker://${reference}`,
    `oci:${layout}:${name}`,
  ],
  copy: (from, to) => [
    SKOPEO,
    "copy",
    "--all",
    "--src-tls-verify=false",
    "--dest-tls-verify=false",
    `docker://${from}`,
    `docker://${to}`,
  ],
  tags: (repository) => [SKOPEO, "list-tags", "--tls-verify=false", `docker://${repository}`],
  remove: (reference) => [SKOPEO, "delete", "--tls-verify=false", `docker://${reference}`],
};

// crane speaks HTTP to loopback addresses of its own accord.
/** The command lines of crane. */
export const crane: ImageTool = {
  login: (host, user, password) => ["auth", "login", host, "-u", user, "-p", password],
  passwordOnInput: false,
  push: (layout, _name, reference) => ["push", layout, reference],
  pull: (reference, layout) => ["pull", "--format=oci", reference, layout],
  copy: (from, to) => ["copy", from, to],
  tags: (repository) => ["ls", repository],
  remove: (reference) => ["delete", reference],
};

/** The command lines of regctl. */
export const regctl: ImageTool = {
  prepare: async (client, host) => {
    await client.succeed(["registry", "set", "--skip-check", "--tls", "disabled", host]);
  },
  login: (host, user) => ["registry", "login", "-u", user, "--pass-stdin", host],
  passwordOnInput: true,
  push: (layout, name, reference) => ["image", "copy", `ocidir://${layout}:${name}`, reference],
  pull: (reference, layout, name) => ["image", "copy", reference, `ocidir://${layout}:${name}`],
  copy: (from, to) => ["image", "copy", from, to],
  tags: (repository) => ["tag", "ls", repository],
  remove: (reference) => ["manifest", "delete", reference],
};

/** The command lines of oras. */
export const oras: ImageTool = {
  login: (host, user) => ["login", HTTP, "-u", user, "--password-stdin", host],
  passwordOnInput: true,
  push: (layout, name, reference) => [
    "cp",
    "--from-oci-layout",
    `${layout}:${name}`,
    "--to-plain-http",
    reference,
  ],
  pull: (reference, layout, name) => [
    "cp",
    "--from-plain-http",
    reference,
    "--to-oci-layout",
    `${layout}:${name}`,
  ],
  copy: (from, to) => ["cp", "--from-plain-http", from, "--to-plain-http", to],
  tags: (repository) => ["repo", "tags", HTTP, repository],
  remove: (reference) => ["manifest", "delete", HTTP, "--force", reference],
};
