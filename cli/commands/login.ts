import type { Command } from "commander";
import * as z from "zod";
import { ApiClient } from "../client/api-client.ts";
import { exchangeAwsIdentity } from "../client/aws-identity.ts";
import { forgetLogin, readConfig, saveLogin } from "../client/config-file.ts";
import { findConnection, parseServerUrl, requireTokenText } from "../client/connection.ts";
import { usageError } from "../client/failures.ts";
import { configPath } from "../client/folders.ts";
import { ask, askSecret, isInteractive, readStdin } from "../client/prompt.ts";
import { whoamiSchema } from "../client/schemas.ts";
import { formatFields, formatTime } from "../client/text.ts";
import { openSession, outputOf, parseOptions, withCommonOptions, withExamples } from "./session.ts";

const loginSchema = z.object({
  url: z.string().optional(),
  tokenStdin: z.boolean().default(false),
  aws: z.boolean().default(false),
});

/** `login`, `logout` and `whoami`. */
export function addLoginCommands(program: Command): void {
  const login = program
    .command("login")
    .summary("save a token for a server")
    .description(
      "Checks a token and saves it, readable by you only. Commands then speak to this server.",
    )
    .argument("[server]", "URL of the server")
    .option("--token-stdin", "read the token from standard input")
    .option("--aws", "exchange the identity of the IAM role at work for a token of one hour");
  withExamples(withCommonOptions(login), [
    "login http://127.0.0.1:5050",
    "login https://packages.example.com --token-stdin < token.txt",
    "login https://packages.example.com --aws",
    "# In CI nothing needs to be saved: set ENTREPOT_URL and ENTREPOT_TOKEN.",
  ]).action((server: string | undefined, _options: unknown, command: Command) =>
    runLogin(server, command),
  );

  const logout = program
    .command("logout")
    .summary("forget the token of a server")
    .description("Forgets a saved token. It stays valid: to end it, entrepot token revoke <id>.")
    .option("--all", "of every server");
  withExamples(withCommonOptions(logout), ["logout", "logout --all"]).action(
    (_options: unknown, command: Command) => runLogout(command),
  );

  const whoami = program
    .command("whoami")
    .summary("show whose token is used, and what it may do")
    .description("Shows the server, the owner of the token, and what the token may do.");
  withExamples(withCommonOptions(whoami), ["whoami", "whoami --json"]).action(
    (_options: unknown, command: Command) => runWhoami(command),
  );
}

async function runLogin(server: string | undefined, command: Command): Promise<void> {
  const { url: flagUrl, tokenStdin, aws } = parseOptions(command, loginSchema);
  const named = server ?? flagUrl ?? process.env["ENTREPOT_URL"] ?? "";
  if (named === "" && (tokenStdin || aws || !isInteractive())) {
    throw usageError(`Name the server: entrepot login <url> ${aws ? "--aws" : "--token-stdin"}`);
  }
  if (tokenStdin && aws) throw usageError("Choose --token-stdin or --aws, not both.");
  const url = parseServerUrl(named === "" ? await ask("URL of the server: ") : named);
  const token = aws
    ? (await exchangeAwsIdentity(url)).token
    : requireTokenText(await readToken(url, tokenStdin));
  const who = await new ApiClient({ url, token }).send({ path: "/whoami", schema: whoamiSchema });
  const path = configPath(process.env);
  await saveLogin(path, url, token);
  outputOf(command).result({ url, ...who }, () => {
    const until = who.expiresAt === undefined ? "" : `, until ${formatTime(who.expiresAt)}`;
    return `Logged in to ${url} as ${who.owner}${until}.`;
  });
  if ((process.env["ENTREPOT_TOKEN"] ?? "") !== "") {
    outputOf(command).warn("ENTREPOT_TOKEN is set and is used instead of what was saved.");
  }
}

async function readToken(url: string, tokenStdin: boolean): Promise<string> {
  if (tokenStdin) return readStdin();
  if (isInteractive()) return askSecret(`Token for ${url} (is not shown): `);
  throw usageError(
    "There is no terminal to ask for the token on.",
    "Pipe it in: entrepot login <url> --token-stdin < token.txt",
  );
}

const logoutSchema = z.object({ url: z.string().optional(), all: z.boolean().default(false) });

async function runLogout(command: Command): Promise<void> {
  const { url: flagUrl, all } = parseOptions(command, logoutSchema);
  const path = configPath(process.env);
  const urls = all
    ? Object.keys((await readConfig(path)).servers)
    : [(await findConnection(process.env, flagUrl)).url];
  const forgotten: string[] = [];
  for (const url of urls) {
    if (await forgetLogin(path, url)) forgotten.push(url);
  }
  outputOf(command).result({ loggedOut: forgotten }, () =>
    forgotten.length === 0
      ? `No token was saved for ${urls.join(", ") || "any server"}.`
      : forgotten.map((url) => `Logged out of ${url}.`).join("\n"),
  );
}

async function runWhoami(command: Command): Promise<void> {
  const session = openSession(command);
  const api = await session.connect();
  const who = await api.send({ path: "/whoami", schema: whoamiSchema });
  session.output.result(who, () =>
    formatFields([
      ["Server", api.url],
      ["Owner", who.owner],
      ["May", who.scopes.join(", ")],
      ["Registries", who.registries.join(", ") || "all"],
      ["Packages", who.packages.join(", ") || "all"],
      ["Expires", formatTime(who.expiresAt)],
    ]),
  );
}
