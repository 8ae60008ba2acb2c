import { type Command, Option } from "commander";
import * as z from "zod";
import { ECOSYSTEMS } from "../../shared/domain/registry.ts";
import { AWS_REGISTRY_SERVICES, UPSTREAM_AUTHS } from "../../shared/domain/upstream.ts";
import { apiPath } from "../client/api-path.ts";
import { usageError } from "../client/failures.ts";
import { askSecret, isInteractive, readStdin } from "../client/prompt.ts";
import { objectSchema, upstreamSchema, type UpstreamView } from "../client/schemas.ts";
import { formatBytes, formatFields, formatTime } from "../client/text.ts";
import { printList } from "./listing.ts";
import {
  collect,
  defined,
  openSession,
  parseOptions,
  requireChanges,
  wholeNumber,
  withCommonOptions,
  withExamples,
  withListOptions,
} from "./session.ts";

/** Where a secret comes from that is not typed; never a flag, which every user of the machine can read. */
const SECRET_VARIABLE = "ENTREPOT_UPSTREAM_SECRET";

/** `upstream create|list|show|update|delete`. */
export function addUpstreamCommands(program: Command): void {
  const group = program
    .command("upstream")
    .summary("registries of others, for proxies to cache")
    .description(
      "Upstreams: registries of somebody else, with how we reach them. A proxy registry caches one.",
    );
  addCreate(group);
  addList(group);
  addShow(group);
  addUpdate(group);
  addDelete(group);
}

const editsSchema = z.object({
  description: z.string().optional(),
  auth: z.enum(UPSTREAM_AUTHS).optional(),
  username: z.string().default(""),
  header: z.string().default(""),
  awsService: z.enum(AWS_REGISTRY_SERVICES).optional(),
  awsRegion: z.string().default(""),
  awsRole: z.string().default(""),
  awsDomain: z.string().default(""),
  awsDomainOwner: z.string().default(""),
  secret: z.boolean().default(false),
  secretStdin: z.boolean().default(false),
  timeoutMs: wholeNumber(100, 120_000).optional(),
  allowPrivate: z.boolean().optional(),
  offline: z.boolean().optional(),
  include: z.array(z.string()).optional(),
  exclude: z.array(z.string()).optional(),
  documentTtlSeconds: wholeNumber(0, 2_592_000).optional(),
  missingTtlSeconds: wholeNumber(0, 86_400).optional(),
  maxFileBytes: wholeNumber(1, 5 * 1024 ** 4).optional(),
});
type Edits = z.infer<typeof editsSchema>;

function withEdits(command: Command): Command {
  return command
    .option("--description <text>", "what it is")
    .addOption(
      new Option("--auth <kind>", "how we prove who we are; asks for the secret").choices(
        UPSTREAM_AUTHS,
      ),
    )
    .option("--username <name>", "for --auth basic")
    .option("--header <name>", "for --auth header: the header that holds the secret")
    .addOption(
      new Option("--aws-service <service>", "for --auth aws").choices(AWS_REGISTRY_SERVICES),
    )
    .option("--aws-region <region>", "for --auth aws")
    .option("--aws-role <arn>", "for --auth aws: role to take first")
    .option("--aws-domain <domain>", "for --auth aws: CodeArtifact's domain")
    .option("--aws-domain-owner <account>", "for --auth aws: account of that domain")
    .option("--secret", `set another secret: asks for it, or takes ${SECRET_VARIABLE}`)
    .option("--secret-stdin", "read the secret from standard input")
    .option("--timeout-ms <ms>", "how long its answer may take to begin")
    .option("--allow-private", "it may be on a private network and speak plain http")
    .option("--no-allow-private", "it must be public and speak https")
    .option("--offline", "ask it for nothing; what is cached is all there is")
    .option("--no-offline", "ask it again")
    .option("--include <patterns>", "packages that it is asked for; '' for all", collect)
    .option("--exclude <patterns>", "packages that it is never asked for; '' for none", collect)
    .option("--document-ttl-seconds <seconds>", "how long its documents count as fresh")
    .option("--missing-ttl-seconds <seconds>", "how long what is missing counts as missing")
    .option("--max-file-bytes <bytes>", "largest file that is taken from it");
}

/** The body that the API wants; flags that were not given are left out, and so stay as they are. */
async function editsBody(edits: Edits): Promise<Record<string, unknown>> {
  const { description, timeoutMs, allowPrivate, offline, include, exclude } = edits;
  const { documentTtlSeconds, missingTtlSeconds, maxFileBytes } = edits;
  const auth = authOf(edits);
  const needsSecret = ["basic", "bearer", "header"].includes(edits.auth ?? "");
  const secret =
    needsSecret || edits.secret || edits.secretStdin ? await readSecret(edits) : undefined;
  const plain = { description, timeoutMs, allowPrivate, offline, include, exclude };
  const limits = { documentTtlSeconds, missingTtlSeconds, maxFileBytes };
  return defined({ ...plain, ...limits, auth, secret });
}

function authOf(edits: Edits): Readonly<Record<string, string>> | undefined {
  const { auth: kind } = edits;
  switch (kind) {
    case "basic":
      if (edits.username === "") throw usageError("--auth basic needs --username.");
      return { kind, username: edits.username };
    case "header":
      if (edits.header === "") throw usageError("--auth header needs --header.");
      return { kind, name: edits.header };
    case "aws": {
      const { awsService: service, awsRegion: region } = edits;
      if (service === undefined || region === "") {
        throw usageError("--auth aws needs --aws-service and --aws-region.");
      }
      const { awsRole: roleArn, awsDomain: domain, awsDomainOwner: domainOwner } = edits;
      return { kind, service, region, roleArn, domain, domainOwner };
    }
    default:
      return kind === undefined ? undefined : { kind };
  }
}

async function readSecret({ secretStdin }: Edits): Promise<string> {
  const fromEnvironment = process.env[SECRET_VARIABLE] ?? "";
  const secret = secretStdin
    ? await readStdin()
    : fromEnvironment !== ""
      ? fromEnvironment
      : isInteractive()
        ? await askSecret("Secret of the upstream (is not shown): ")
        : "";
  if (secret !== "") return secret;
  throw usageError(
    "There is no secret.",
    `Pipe it in with --secret-stdin, or set ${SECRET_VARIABLE}.`,
  );
}

function addCreate(group: Command): void {
  const create = group
    .command("create")
    .summary("create an upstream")
    .description(
      "Creates an upstream. Ecosystem and URL are known for npmjs, pypi, maven-central, docker-hub and other usual ones.",
    )
    .argument("<key>", "name of yours for it")
    .argument("[upstream-url]", "where its paths begin")
    .addOption(new Option("--ecosystem <ecosystem>", "what it holds").choices(ECOSYSTEMS));
  withExamples(withCommonOptions(withEdits(create)), [
    "upstream create npmjs",
    "upstream create corp https://npm.corp.example --ecosystem npm --auth bearer --secret-stdin < token.txt",
    "upstream create artifacts https://acme-111122223333.d.codeartifact.eu-west-1.amazonaws.com/npm/all --ecosystem npm --auth aws --aws-service codeartifact --aws-region eu-west-1 --aws-domain acme",
  ]).action(
    async (key: string, address: string | undefined, _options: unknown, command: Command) => {
      const session = openSession(command);
      const flags = z.object({ ...editsSchema.shape, ecosystem: z.string().optional() });
      const { ecosystem, ...edits } = parseOptions(command, flags);
      const body = {
        key,
        ...defined({ ecosystem, url: address }),
        ...(await editsBody(edits)),
      };
      const api = await session.connect();
      const request = { method: "POST", path: "/upstreams", body } as const;
      const made = await api.send({ ...request, schema: upstreamSchema });
      session.output.result(
        made,
        () =>
          `Created the ${made.ecosystem} upstream ${made.key} at ${made.url}.\nCache it: entrepot registry create <slug> --ecosystem ${made.ecosystem} --kind proxy --upstream ${made.key}`,
      );
    },
  );
}

function addList(group: Command): void {
  const command = group
    .command("list")
    .alias("ls")
    .summary("list upstreams")
    .description("Lists the upstreams that you may know of.");
  withExamples(withCommonOptions(withListOptions(command)), ["upstream list"]).action(
    async (_options: unknown, self: Command) => {
      await printList(self, {
        path: "/upstreams",
        item: upstreamSchema,
        heads: ["KEY", "ECOSYSTEM", "AUTH", "STATE", "URL"],
        row: (item) => [
          item.key,
          item.ecosystem,
          item.auth.kind,
          item.offline ? "offline" : "asked",
          item.url,
        ],
        none: "There are no upstreams yet. Create one: entrepot upstream create npmjs",
      });
    },
  );
}

function addShow(group: Command): void {
  const show = group
    .command("show")
    .summary("show an upstream")
    .description("Shows an upstream; never its secret.")
    .argument("<key>");
  withExamples(withCommonOptions(show), ["upstream show npmjs"]).action(
    async (key: string, _options: unknown, command: Command) => {
      const session = openSession(command);
      const api = await session.connect();
      const upstream = await api.send({ path: apiPath`/upstreams/${key}`, schema: upstreamSchema });
      session.output.result(upstream, () => describe(upstream));
    },
  );
}

function describe(upstream: UpstreamView): string {
  const { kind, ...auth } = upstream.auth;
  const how = Object.entries(auth).filter(([, value]) => value !== "");
  return formatFields([
    ["Key", upstream.key],
    ["Ecosystem", upstream.ecosystem],
    ["URL", upstream.url],
    ["Description", upstream.description],
    ["Auth", [kind, ...how.map(([name, value]) => `${name} ${String(value)}`)].join(", ")],
    ["Secret", upstream.hasSecret ? "set" : ""],
    ["Offline", upstream.offline ? "yes" : "no"],
    ["Private", upstream.allowPrivate ? "allowed" : "no"],
    ["Asked for", upstream.include.join(", ") || "all"],
    ["Never for", upstream.exclude.join(", ")],
    ["Timeout", `${upstream.timeoutMs} ms`],
    ["Documents fresh", `${upstream.documentTtlSeconds} s`],
    ["Missing believed", `${upstream.missingTtlSeconds} s`],
    ["Largest file", formatBytes(upstream.maxFileBytes)],
    ["Created", formatTime(upstream.createdAt)],
    ["Updated", formatTime(upstream.updatedAt)],
  ]);
}

function addUpdate(group: Command): void {
  const update = group
    .command("update")
    .summary("change an upstream")
    .description(
      "Changes what is named by flags; everything else stays. Another server or auth needs the secret again.",
    )
    .argument("<key>")
    .option("--to <url>", "where its paths begin from now on");
  withExamples(withCommonOptions(withEdits(update)), [
    "upstream update corp --offline",
    "upstream update corp --secret-stdin < token.txt",
    "upstream update corp --to https://npm2.corp.example --secret",
  ]).action(async (key: string, _options: unknown, command: Command) => {
    const session = openSession(command);
    const flags = z.object({ ...editsSchema.shape, to: z.string().optional() });
    const { to, ...edits } = parseOptions(command, flags);
    const body = { ...(await editsBody(edits)), ...defined({ url: to }) };
    requireChanges(body, command);
    const api = await session.connect();
    const request = { method: "PATCH", path: apiPath`/upstreams/${key}`, body } as const;
    const after = await api.send({ ...request, schema: upstreamSchema });
    session.output.result(after, () => describe(after));
  });
}

function addDelete(group: Command): void {
  const remove = group
    .command("delete")
    .summary("delete upstreams that no proxy caches")
    .description("Deletes upstreams by their keys.")
    .argument("<key...>");
  withExamples(withCommonOptions(remove), ["upstream delete corp"]).action(
    async (keys: readonly string[], _options: unknown, command: Command) => {
      const session = openSession(command);
      const api = await session.connect();
      for (const key of keys) {
        await api.send({
          method: "DELETE",
          path: apiPath`/upstreams/${key}`,
          schema: objectSchema,
        });
      }
      session.output.result({ deleted: keys }, () =>
        keys.map((key) => `Deleted ${key}.`).join("\n"),
      );
    },
  );
}
