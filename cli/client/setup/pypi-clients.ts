import type { SetupClient, SetupInput, SetupStep } from "./setup-clients.ts";

const uploadUrl = ({ url, registry }: SetupInput): string => `${url}/pypi/${registry}/`;
const indexUrl = (input: SetupInput): string => `${uploadUrl(input)}simple/`;
const tokenText = ({ token }: SetupInput): string => token ?? "$ENTREPOT_TOKEN";

/** Any user name will do; this is the one that the public index has for tokens. */
const USER = "__token__";

const withCredentials = (input: SetupInput): string =>
  input.isPublic
    ? indexUrl(input)
    : indexUrl(input).replace("://", `://${USER}:${input.token ?? "${ENTREPOT_TOKEN}"}@`);

const exportToken = ({ token }: SetupInput): readonly SetupStep[] =>
  token === undefined
    ? [
        {
          title: "The token comes from the environment:",
          text: "export ENTREPOT_TOKEN=<your token>",
        },
      ]
    : [];

/** pip fills in no variables in pip.conf: https://pip.pypa.io/en/stable/topics/configuration/ */
const pip = (input: SetupInput): readonly SetupStep[] => [
  ...(input.isPublic ? [] : exportToken(input)),
  {
    title: "Install:",
    text: [`export PIP_INDEX_URL="${withCredentials(input)}"`, "pip install <package>"].join("\n"),
  },
];

const twine = (input: SetupInput): readonly SetupStep[] => [
  ...exportToken(input),
  {
    publishes: true,
    title: "Publish what is in dist:",
    text: [
      `export TWINE_USERNAME=${USER} TWINE_PASSWORD="${tokenText(input)}"`,
      `twine upload --repository-url ${uploadUrl(input)} dist/*`,
    ].join("\n"),
  },
];

/** https://docs.astral.sh/uv/concepts/indexes/ */
const uv = (input: SetupInput): readonly SetupStep[] => [
  {
    title: "Put this into pyproject.toml:",
    file: "pyproject.toml",
    text: [
      "[[tool.uv.index]]",
      'name = "entrepot"',
      `url = "${indexUrl(input)}"`,
      `publish-url = "${uploadUrl(input)}"`,
      "default = true",
    ].join("\n"),
  },
  ...exportToken(input),
  {
    title: "Then:",
    text: [
      `export UV_INDEX_ENTREPOT_USERNAME=${USER} UV_INDEX_ENTREPOT_PASSWORD="${tokenText(input)}"`,
      `export UV_PUBLISH_TOKEN="${tokenText(input)}"`,
      "uv add <package>",
      "uv build && uv publish --index entrepot",
    ].join("\n"),
  },
];

/** https://python-poetry.org/docs/repositories/ */
const poetry = (input: SetupInput): readonly SetupStep[] => [
  ...exportToken(input),
  {
    title: "In the project:",
    text: [
      `poetry source add --priority=primary entrepot ${indexUrl(input)}`,
      `poetry config repositories.entrepot ${uploadUrl(input)}`,
      `poetry config http-basic.entrepot ${USER} "${tokenText(input)}"`,
      "poetry add <package>",
      "poetry publish --build --repository entrepot",
    ].join("\n"),
  },
];

/** https://pdm-project.org/latest/usage/config/ */
const pdm = (input: SetupInput): readonly SetupStep[] => [
  {
    title: "Put this into pyproject.toml:",
    file: "pyproject.toml",
    text: ["[[tool.pdm.source]]", 'name = "pypi"', `url = "${withCredentials(input)}"`].join("\n"),
  },
  ...exportToken(input),
  {
    title: "Then:",
    text: [
      "pdm add <package>",
      `pdm publish --repository ${uploadUrl(input)} --username ${USER} --password "${tokenText(input)}"`,
    ].join("\n"),
  },
];

const hatch = (input: SetupInput): readonly SetupStep[] => [
  ...exportToken(input),
  {
    publishes: true,
    title: "Publish:",
    text: `hatch build && hatch publish --repo ${uploadUrl(input)} --user ${USER} --auth "${tokenText(input)}"`,
  },
];

const flit = (input: SetupInput): readonly SetupStep[] => [
  ...exportToken(input),
  {
    publishes: true,
    title: "Publish:",
    text: `FLIT_INDEX_URL=${uploadUrl(input)} FLIT_USERNAME=${USER} FLIT_PASSWORD="${tokenText(input)}" flit publish`,
  },
];

/** Clients of Python registries. */
export const PYPI_CLIENTS: readonly SetupClient[] = [
  { name: "pip", description: "pip", steps: pip },
  { name: "twine", description: "twine (publishing)", steps: twine },
  { name: "uv", description: "uv", steps: uv },
  { name: "poetry", description: "Poetry", steps: poetry },
  { name: "pdm", description: "PDM", steps: pdm },
  { name: "hatch", description: "Hatch (publishing)", steps: hatch },
  { name: "flit", description: "Flit (publishing)", steps: flit },
];
