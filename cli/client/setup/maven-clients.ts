import type { SetupClient, SetupInput, SetupStep } from "./setup-clients.ts";

const urlOf = ({ url, registry }: SetupInput): string => `${url}/maven/${registry}/`;

const exportToken = ({ token }: SetupInput): readonly SetupStep[] =>
  token === undefined
    ? [
        {
          title: "The token comes from the environment:",
          text: "export ENTREPOT_TOKEN=<your token>",
        },
      ]
    : [];

/** Otherwise Central is asked beside it: https://maven.apache.org/guides/mini/guide-mirror-settings.html */
const mirrors = (input: SetupInput): string =>
  input.isSource
    ? ""
    : `
  <mirrors>
    <mirror>
      <id>${input.registry}</id>
      <mirrorOf>*</mirrorOf>
      <url>${urlOf(input)}</url>
    </mirror>
  </mirrors>`;

/** Maven fills in `${env.NAME}`: https://maven.apache.org/settings.html#quick-overview */
const maven = (input: SetupInput): readonly SetupStep[] => [
  {
    title: "Put this into settings.xml of ~/.m2:",
    file: "~/.m2/settings.xml",
    text: `<settings>
  <servers>
    <server>
      <id>${input.registry}</id>
      <username>entrepot</username>
      <password>${input.token ?? "${env.ENTREPOT_TOKEN}"}</password>
    </server>
  </servers>${mirrors(input)}
  <profiles>
    <profile>
      <id>${input.registry}</id>
      <repositories>
        <repository>
          <id>${input.registry}</id>
          <url>${urlOf(input)}</url>
          <snapshots><enabled>true</enabled></snapshots>
        </repository>
      </repositories>
    </profile>
  </profiles>
  <activeProfiles>
    <activeProfile>${input.registry}</activeProfile>
  </activeProfiles>
</settings>`,
  },
  ...exportToken(input),
  {
    publishes: true,
    title: "To deploy, with no change to the POM:",
    text: `mvn deploy -DaltDeploymentRepository=${input.registry}::default::${urlOf(input)}`,
  },
];

/** Gradle 7 and later want plain http to be allowed: https://docs.gradle.org/current/dsl/org.gradle.api.artifacts.repositories.MavenArtifactRepository.html */
const gradle = (input: SetupInput): readonly SetupStep[] => {
  const secret = input.token === undefined ? 'System.getenv("ENTREPOT_TOKEN")' : `"${input.token}"`;
  const repository = [
    "    maven {",
    `      url = uri("${urlOf(input)}")`,
    ...(input.url.startsWith("http:") ? ["      isAllowInsecureProtocol = true"] : []),
    "      credentials {",
    '        username = "entrepot"',
    `        password = ${secret}`,
    "      }",
    "    }",
  ].join("\n");
  return [
    {
      title: "Put this into build.gradle.kts:",
      file: "build.gradle.kts",
      text: `repositories {\n${repository.replaceAll(/^ {2}/gm, "")}\n}${input.takesPackages ? `\n\npublishing {\n  repositories {\n${repository}\n  }\n}` : ""}`,
    },
    ...exportToken(input),
    { publishes: true, title: "Then:", text: "gradle publish" },
  ];
};

const sbt = (input: SetupInput): readonly SetupStep[] => [
  {
    title: "Put this into build.sbt:",
    file: "build.sbt",
    text: [
      `val entrepot = "${input.registry}" at "${urlOf(input)}"`,
      "resolvers += entrepot",
      "publishTo := Some(entrepot)",
      `credentials += Credentials("Entrepot", "${new URL(input.url).hostname}", "entrepot", ${input.token === undefined ? 'sys.env("ENTREPOT_TOKEN")' : `"${input.token}"`})`,
    ].join("\n"),
  },
  ...exportToken(input),
  { publishes: true, title: "Then:", text: "sbt publish" },
];

/** Clients of Maven registries. */
export const MAVEN_CLIENTS: readonly SetupClient[] = [
  { name: "maven", description: "Maven (settings.xml)", steps: maven },
  { name: "gradle", description: "Gradle (build.gradle.kts)", steps: gradle },
  { name: "sbt", description: "sbt (build.sbt)", steps: sbt },
];
