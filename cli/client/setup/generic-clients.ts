import type { SetupClient, SetupInput, SetupStep } from "./setup-clients.ts";

const fileUrl = ({ url, registry }: SetupInput): string =>
  `${url}/generic/${registry}/<package>/<version>/<path>`;

const tokenText = ({ token }: SetupInput): string => token ?? "$ENTREPOT_TOKEN";

const exportToken = ({ token }: SetupInput): readonly SetupStep[] =>
  token === undefined
    ? [
        {
          title: "The token comes from the environment:",
          text: "export ENTREPOT_TOKEN=<your token>",
        },
      ]
    : [];

const curl = (input: SetupInput): readonly SetupStep[] => {
  const header = `-H "Authorization: Bearer ${tokenText(input)}"`;
  return [
    ...exportToken(input),
    {
      title: "Upload a file:",
      text: `curl --fail-with-body ${header} --upload-file <file> "${fileUrl(input)}"`,
    },
    {
      // -L: a server may send downloads on to storage; curl drops the header for other hosts.
      title: "Download it:",
      text: `curl --fail -L ${input.isPublic ? "" : `${header} `}-o <file> "${fileUrl(input)}"`,
    },
  ];
};

const wget = (input: SetupInput): readonly SetupStep[] => [
  ...(input.isPublic ? [] : exportToken(input)),
  {
    title: "Download a file, going on where an interrupted download stopped:",
    text: `wget -c ${input.isPublic ? "" : `--header "Authorization: Bearer ${tokenText(input)}" `}"${fileUrl(input)}"`,
  },
];

const entrepot = (input: SetupInput): readonly SetupStep[] => [
  {
    title: "Log in once:",
    text: `entrepot login ${input.url}`,
  },
  {
    title: "Upload files of any size, and download them:",
    text: [
      `entrepot push ${input.registry} <file> --package <package> --version <version>`,
      `entrepot pull ${input.registry} <package>@<version> [path]`,
    ].join("\n"),
  },
];

/** Clients of generic registries. */
export const GENERIC_CLIENTS: readonly SetupClient[] = [
  { name: "curl", description: "curl", steps: curl },
  { name: "wget", description: "Wget (downloads)", steps: wget },
  { name: "entrepot", description: "this command: resumes, verifies checksums", steps: entrepot },
];
