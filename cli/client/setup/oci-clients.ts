import type { SetupClient, SetupInput, SetupStep } from "./setup-clients.ts";

/** `<host>/<registry>`, with which the names of images begin. */
const prefixOf = ({ url, registry }: SetupInput): string => `${new URL(url).host}/${registry}`;

const isPlain = ({ url }: SetupInput): boolean => url.startsWith("http:");

const flag = (input: SetupInput, text: string): string => (isPlain(input) ? ` ${text}` : "");

/** The password goes through standard input: arguments can be seen by every user of the machine. */
function login(input: SetupInput, command: string): SetupStep {
  return {
    title: "Log in, with any user name and your token as password:",
    text: `echo "${input.token ?? "$ENTREPOT_TOKEN"}" | ${command} -u entrepot --password-stdin ${new URL(input.url).host}`,
  };
}

const docker = (input: SetupInput): readonly SetupStep[] => [
  login(input, "docker login"),
  {
    title: "Push an image, and pull it:",
    text: [
      `docker tag <image> ${prefixOf(input)}/<image>:<tag>`,
      `docker push ${prefixOf(input)}/<image>:<tag>`,
      `docker pull ${prefixOf(input)}/<image>:<tag>`,
    ].join("\n"),
  },
];

const podman = (input: SetupInput): readonly SetupStep[] => {
  const tls = flag(input, "--tls-verify=false");
  return [
    login(input, `podman login${tls}`),
    {
      title: "Push an image, and pull it:",
      text: [
        `podman push${tls} <image> ${prefixOf(input)}/<image>:<tag>`,
        `podman pull${tls} ${prefixOf(input)}/<image>:<tag>`,
      ].join("\n"),
    },
  ];
};

const skopeo = (input: SetupInput): readonly SetupStep[] => [
  login(input, `skopeo login${flag(input, "--tls-verify=false")}`),
  {
    title: "Copy an image here:",
    text: `skopeo copy${flag(input, "--dest-tls-verify=false")} docker://<source> docker://${prefixOf(input)}/<image>:<tag>`,
  },
];

const helm = (input: SetupInput): readonly SetupStep[] => {
  const plain = flag(input, "--plain-http");
  return [
    login(input, `helm registry login${plain}`),
    {
      title: "Push a chart, and install it:",
      text: [
        `helm push${plain} <chart>-<version>.tgz oci://${prefixOf(input)}`,
        `helm install${plain} <name> oci://${prefixOf(input)}/<chart> --version <version>`,
      ].join("\n"),
    },
  ];
};

const oras = (input: SetupInput): readonly SetupStep[] => {
  const plain = flag(input, "--plain-http");
  return [
    login(input, `oras login${plain}`),
    {
      title: "Push a file as an artifact, attach another to it, and list what is attached:",
      text: [
        `oras push${plain} ${prefixOf(input)}/<name>:<tag> <file>`,
        `oras attach${plain} --artifact-type <type> ${prefixOf(input)}/<name>:<tag> <file>`,
        `oras discover${plain} ${prefixOf(input)}/<name>:<tag>`,
      ].join("\n"),
    },
  ];
};

/** Clients of OCI registries. */
export const OCI_CLIENTS: readonly SetupClient[] = [
  { name: "docker", description: "Docker", steps: docker },
  { name: "podman", description: "Podman and Buildah", steps: podman },
  { name: "skopeo", description: "Skopeo", steps: skopeo },
  { name: "helm", description: "Helm charts", steps: helm },
  { name: "oras", description: "ORAS, for artifacts of any kind", steps: oras },
];
