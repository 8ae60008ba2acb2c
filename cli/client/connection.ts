import type { Connection } from "./api-client.ts";
import { readConfig } from "./config-file.ts";
import { usageError } from "./failures.ts";
import { configPath, type Environment } from "./folders.ts";

/**
 * The server of a command: `--url`, then `ENTREPOT_URL`, then the one last logged in to. Its token:
 * `ENTREPOT_TOKEN`, then what `entrepot login` saved for that server.
 *
 * `ENTREPOT_TOKEN` belongs to `ENTREPOT_URL`: a `--url` of another server never gets it.
 *
 * @throws {CliError} when no server is named anywhere, or its URL is none.
 */
export async function findConnection(
  env: Environment,
  flagUrl: string | undefined,
): Promise<Connection> {
  const config = await readConfig(configPath(env));
  const environmentUrl = optionalUrl(env["ENTREPOT_URL"]);
  const url = optionalUrl(flagUrl) ?? environmentUrl ?? config.current;
  if (url === undefined) {
    throw usageError(
      "No server is named.",
      "Log in to one:    entrepot login <url>\nor name it:        --url <url>, or ENTREPOT_URL=<url>\nor start your own: entrepot serve",
    );
  }
  const environmentToken = env["ENTREPOT_TOKEN"] ?? "";
  if (environmentToken !== "" && (environmentUrl === undefined || environmentUrl === url)) {
    return { url, token: requireTokenText(environmentToken) };
  }
  const saved = Object.hasOwn(config.servers, url) ? config.servers[url] : undefined;
  return saved === undefined ? { url } : { url, token: saved.token };
}

function optionalUrl(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : parseServerUrl(text);
}

/**
 * The URL of a server in the one form in which it is saved and compared: no slash at the end, no query.
 * A host without a scheme gets `https://`, or `http://` on this machine.
 *
 * @throws {CliError}
 */
export function parseServerUrl(text: string): string {
  const isLocal = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|\/|$)/.test(text);
  const absolute = text.includes("://") ? text : `${isLocal ? "http" : "https"}://${text}`;
  const url = URL.canParse(absolute) ? new URL(absolute) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw usageError(
      `"${text}" is not the URL of a server.`,
      "Write it like https://packages.example.com",
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw usageError(
      "The URL of a server must not hold a password.",
      "Log in instead: entrepot login <url>",
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

/** @throws {CliError} for what cannot stand in a header. */
export function requireTokenText(text: string): string {
  if (/^[\x21-\x7e]{1,4000}$/.test(text)) return text;
  throw usageError(
    "This is not a token: a token is one line of letters, digits and signs, without spaces.",
  );
}
