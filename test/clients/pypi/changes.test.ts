import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { describeWhen, programPath } from "../../support/programs.ts";
import { buildSdist, buildWheel, sha256Of } from "../../support/python-package.ts";
import { pythonPrograms, realDistributions } from "../../support/python-clients.ts";
import { startServer } from "../../support/server.ts";
import { openPythonRegistry, type PythonRegistry } from "./python-registry.ts";

let registry: PythonRegistry;

beforeAll(async () => {
  registry = await openPythonRegistry(["py"]);
});

afterAll(() => registry?.[Symbol.asyncDispose]());

async function api(method: string, path: string, body?: object): Promise<void> {
  const answer = await registry.server.api(`/registries/py/packages/${path}`, {
    method,
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(answer.ok, await answer.text()).toBe(true);
}

const pipArguments = (folder: string): readonly string[] => [
  "download",
  "--no-deps",
  `--index-url=${registry.indexUrl()}`,
  "--trusted-host=127.0.0.1",
  `--dest=${join(registry.home.path, folder)}`,
];

/** The form of PEP 740; its signature is nobody's. */
function attestationOf(fileName: string, sha256: string): string {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: fileName, digest: { sha256 } }],
    predicateType: "https://docs.pypi.org/attestations/publish/v1",
    predicate: null,
  };
  return JSON.stringify({
    version: 1,
    verification_material: {
      certificate: base64("certificate"),
      transparency_entries: [{ logIndex: "1" }],
    },
    envelope: { statement: base64(JSON.stringify(statement)), signature: base64("signature") },
  });
}

describeWhen(
  pythonPrograms("twine", "pip-19", "pip-26"),
  "twine and pip",
  "changes",
  (programs) => {
    test.each(["pip-19", "pip-26"] as const)(
      "%s takes the sdist where the wheel alone was yanked",
      async (client) => {
        const name = `file-${client}`;
        const wheel = await registry.writeWheel(name, "1.0");
        const sdist = await buildSdist({
          name,
          version: "1.0",
          files: {
            "setup.py": `from setuptools import setup\nsetup(name="${name}", version="1.0")\n`,
          },
        });
        const path = await registry.write(sdist);
        await registry.home.ok(programs.twine, [...registry.twineArguments(), wheel, path]);
        const args = [...pipArguments(`files-${client}`), "--no-build-isolation", name];
        expect(await registry.home.ok(programs[client], args)).toContain(basename(wheel));
        const yank = { message: "broken", file: basename(wheel) };
        await api("PUT", `${name}/versions/1.0/deprecation`, yank);
        expect(await registry.home.ok(programs[client], args)).toContain(sdist.fileName);
      },
    );

    test("twine is told why an archived project takes no uploads", async () => {
      const wheel = await registry.writeWheel("archived", "1.0");
      await registry.home.ok(programs.twine, [...registry.twineArguments(), wheel]);
      await api("PATCH", "archived", { status: "archived", statusReason: "use archived2" });
      const next = await registry.writeWheel("archived", "2.0");
      const args = [...registry.twineArguments(), "--verbose", next];
      const { code, output } = await registry.home.run(programs.twine, args);
      expect(code).not.toBe(0);
      expect(output).toContain("use archived2");
      await registry.home.ok(programs["pip-26"], [...pipArguments("archived"), "archived"]);
    });

    test.each(["pip-19", "pip-26"] as const)(
      "%s finds nothing of a project in quarantine, and gets no file that it knows of",
      async (client) => {
        const name = `bad-${client}`;
        const wheel = await registry.writeWheel(name, "1.0");
        await registry.home.ok(programs.twine, [...registry.twineArguments(), wheel]);
        const args = pipArguments(`bad-${client}`);
        await registry.home.ok(programs[client], [...args, name]);
        await api("PATCH", name, { status: "quarantined" });
        const asked = await registry.home.run(programs[client], [...args, name]);
        expect(asked.code).not.toBe(0);
        expect(asked.output).toMatch(/No matching distribution/i);
        const file = registry
          .indexUrl()
          .replace(/simple\/$/, `files/${name}/1.0/${basename(wheel)}`);
        const known = await registry.home.run(programs[client], [
          ...pipArguments(`known-${client}`),
          file,
        ]);
        expect(known.code).not.toBe(0);
        expect(known.output).toContain("403");
      },
    );
  },
);

const REAL = realDistributions();
const CLIENTS = pythonPrograms("twine", "pip-19", "pip-26");

describeWhen(
  REAL === undefined || CLIENTS === undefined ? undefined : { files: REAL, ...CLIENTS },
  "distributions pulled from the public index",
  "sdists of the real world",
  ({ files, ...programs }) => {
    test.each(["pip-19", "pip-26"] as const)(
      "%s downloads them by their public hashes, and builds one",
      async (client) => {
        const sdists = files.filter((file) => file.endsWith(".tar.gz"));
        await registry.home.ok(programs.twine, [...registry.twineArguments(), ...sdists]);
        const six = sdists.find((file) => basename(file).startsWith("six-")) ?? "";
        const line = `six==1.17.0 --hash=sha256:${sha256Of(readFileSync(six))}\n`;
        await registry.home.write("six.txt", line);
        const target = join(registry.home.path, `six-${client}`);
        await registry.home.ok(programs[client], [
          "install",
          "--require-hashes",
          "--no-binary=:all:",
          "--no-build-isolation",
          "--no-deps",
          `--index-url=${registry.indexUrl()}`,
          "--trusted-host=127.0.0.1",
          `--target=${target}`,
          "--requirement=six.txt",
        ]);
        expect(readFileSync(join(target, "six.py"), "utf8")).toContain("1.17.0");
      },
    );
  },
);

describeWhen(pythonPrograms("uv"), "uv", "uv", ({ uv }) => {
  const publish = (...more: readonly string[]): readonly string[] => [
    "publish",
    `--publish-url=${registry.uploadUrl()}legacy/`,
    "--username=__token__",
    `--password=${registry.server.adminToken}`,
    ...more,
  ];

  test("publishes the attestation beside a wheel, which is served as it was", async () => {
    const wheel = buildWheel({ name: "attested", version: "1.0" });
    const path = await registry.write(wheel);
    const sent = attestationOf(wheel.fileName, sha256Of(wheel.bytes));
    await registry.home.write(`dist/${wheel.fileName}.publish.attestation`, sent);
    await registry.home.ok(uv, publish(path, `${path}.publish.attestation`));
    const [, link = ""] = /data-provenance="([^"]+)"/.exec(await registry.page("attested")) ?? [];
    const headers = { authorization: `Bearer ${registry.server.adminToken}` };
    const provenance = await (await fetch(link, { headers })).text();
    expect(provenance).toContain(JSON.stringify(JSON.parse(sent)));
  });

  test("skips with --check-url what is there, and refuses other bytes by itself", async () => {
    const check = `--check-url=${registry.indexUrl()}`;
    const path = await registry.writeWheel("checked", "1.0");
    await registry.home.ok(uv, publish(check, path));
    expect(await registry.home.ok(uv, publish(check, path))).toContain("already exists");
    await registry.writeWheel("checked", "1.0", { "other.py": "" });
    const { code, output } = await registry.home.run(uv, publish(check, path));
    expect(code).not.toBe(0);
    expect(output).toContain("do not match");
  });
});

const OPENSSL = programPath("openssl");
const UV = pythonPrograms("uv");

describeWhen(
  UV === undefined || OPENSSL === undefined ? undefined : { uv: UV.uv, openssl: OPENSSL },
  "uv and openssl",
  "trusted publishing",
  ({ uv, openssl }) => {
    test("uv finds the exchange at the root of the host, and prints why there is none", async () => {
      const { home } = registry;
      const cert = join(home.path, "cert.pem");
      const key = join(home.path, "key.pem");
      const request =
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=CA:FALSE";
      const files = ["-keyout", key, "-out", cert];
      await promisify(execFile)(openssl, [...request.split(" "), ...files]);
      const secure = await startServer({ args: ["--cert", cert, "--key", key] });
      onTestFinished(() => secure.stop());
      const issuer = await startIssuer();
      const { code, output } = await home.run(
        uv,
        [
          "publish",
          "--trusted-publishing=always",
          `--publish-url=${secure.url}/pypi/py/legacy/`,
          await registry.writeWheel("trusted", "1.0"),
        ],
        {
          env: {
            SSL_CERT_FILE: cert,
            GITHUB_ACTIONS: "true",
            ACTIONS_ID_TOKEN_REQUEST_TOKEN: "request-token",
            ACTIONS_ID_TOKEN_REQUEST_URL: issuer.url,
          },
        },
      );
      expect(code).not.toBe(0);
      expect(issuer.asked).toEqual(["/token?x=1&audience=127.0.0.1"]);
      expect(output).toContain("not-enabled");
    });
  },
);

/** What a CI provider has for its jobs: an identity token for whoever asks. */
async function startIssuer(): Promise<{ readonly url: string; readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const server = createServer((incoming, outgoing) => {
    asked.push(incoming.url ?? "");
    outgoing.setHeader("content-type", "application/json");
    outgoing.end(JSON.stringify({ value: "e30.e30.c2ln" }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { url: `http://127.0.0.1:${address.port}/token?x=1`, asked };
}
