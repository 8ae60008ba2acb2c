import type { SetupClient, SetupInput, SetupStep } from "./setup-clients.ts";

const registryUrl = ({ url, registry }: SetupInput): string => `${url}/npm/${registry}/`;

/** npm keeps credentials under the URL without its scheme: https://docs.npmjs.com/cli/configuring-npm/npmrc */
const authKey = (input: SetupInput): string => registryUrl(input).replace(/^https?:/, "");

/** npm and yarn fill in `${NAME}` from the environment themselves. */
const tokenText = ({ token }: SetupInput): string => token ?? "${ENTREPOT_TOKEN}";

const exportToken = ({ token }: SetupInput): readonly SetupStep[] =>
  token === undefined
    ? [
        {
          title: "The token comes from the environment:",
          text: "export ENTREPOT_TOKEN=<your token>",
        },
      ]
    : [];

const SCOPE_NOTE = "# For one scope only, write @your-scope:registry= in place of registry=";

const npmrc = (input: SetupInput): SetupStep => ({
  title: "Put this into .npmrc of the project, or of your home folder:",
  file: ".npmrc",
  text: [
    SCOPE_NOTE,
    `registry=${registryUrl(input)}`,
    `${authKey(input)}:_authToken=${tokenText(input)}`,
  ].join("\n"),
});

const npm = (input: SetupInput): readonly SetupStep[] => [
  npmrc(input),
  ...exportToken(input),
  { title: "Then:", text: "npm install <package>" },
  { publishes: true, title: "To publish:", text: "npm publish" },
];

/**
 * From 11.5.3 and 10.34.2 on pnpm fills in variables only in the user's own file, not in a project's
 * (https://pnpm.io/npmrc): measured with pnpm 12.21.
 */
const pnpm = (input: SetupInput): readonly SetupStep[] => [
  {
    title: "Put this into .npmrc of the project:",
    file: ".npmrc",
    text: `${SCOPE_NOTE}\nregistry=${registryUrl(input)}`,
  },
  {
    title: "Put this into .npmrc of your home folder:",
    file: "~/.npmrc",
    text: `${authKey(input)}:_authToken=${tokenText(input)}`,
  },
  ...exportToken(input),
  { title: "Then:", text: "pnpm add <package>" },
  { publishes: true, title: "To publish:", text: "pnpm publish" },
];

/** https://classic.yarnpkg.com/lang/en/docs/cli/config/: classic sends tokens for tarballs only when told to. */
const yarnClassic = (input: SetupInput): readonly SetupStep[] => {
  const { text, ...step } = npmrc(input);
  return [
    { ...step, text: input.isPublic ? text : `${text}\nalways-auth=true` },
    ...exportToken(input),
    { title: "Then:", text: "yarn add <package>" },
    { publishes: true, title: "To publish:", text: "yarn publish" },
  ];
};

/** https://yarnpkg.com/configuration/yarnrc#npmRegistryServer */
const yarnBerry = (input: SetupInput): readonly SetupStep[] => [
  {
    title: "Put this into .yarnrc.yml of the project:",
    file: ".yarnrc.yml",
    text: [
      `npmRegistryServer: "${registryUrl(input)}"`,
      `npmAuthToken: "${tokenText(input)}"`,
      ...(input.isPublic ? [] : ["npmAlwaysAuth: true"]),
      // Berry refuses plain http for every host that is not named here.
      ...(input.url.startsWith("http:")
        ? ["unsafeHttpWhitelist:", `  - "${new URL(input.url).hostname}"`]
        : []),
      // `npmMinimalAgeGate` holds new versions back, one's own too: measured with yarn 4.18.
      "# Yarn waits before it takes new versions, but not those of packages that are named here:",
      "npmPreapprovedPackages:",
      '  - "@your-scope/*"',
    ].join("\n"),
  },
  ...exportToken(input),
  { title: "Then:", text: "yarn add <package>" },
  { publishes: true, title: "To publish:", text: "yarn npm publish" },
];

/** https://bun.com/docs/runtime/bunfig#install-registry; publishing reads .npmrc. */
const bun = (input: SetupInput): readonly SetupStep[] => [
  {
    title: "Put this into bunfig.toml of the project:",
    file: "bunfig.toml",
    text: `[install]\nregistry = { url = "${registryUrl(input)}", token = "${input.token ?? "$ENTREPOT_TOKEN"}" }`,
  },
  { ...npmrc(input), publishes: true, title: "To publish with bun, put this into .npmrc too:" },
  ...exportToken(input),
  { title: "Then:", text: "bun add <package>" },
  { publishes: true, title: "To publish:", text: "bun publish" },
];

/** Clients of npm registries. */
export const NPM_CLIENTS: readonly SetupClient[] = [
  { name: "npm", description: "npm (.npmrc)", steps: npm },
  { name: "pnpm", description: "pnpm (.npmrc)", steps: pnpm },
  { name: "yarn", description: "Yarn 1, classic (.npmrc)", steps: yarnClassic },
  { name: "yarn-berry", description: "Yarn 2 and later (.yarnrc.yml)", steps: yarnBerry },
  { name: "bun", description: "Bun (bunfig.toml, .npmrc)", steps: bun },
];
