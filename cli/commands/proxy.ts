import { tmpdir } from "node:os";
import type { Command } from "commander";
import * as z from "zod";
import { findConnection } from "../client/connection.ts";
import { outputOf, parseOptions, wholeNumber, withExamples } from "./session.ts";

const GIB = 1024 ** 3;

const flagsSchema = z.object({
  port: wholeNumber(0, 65_535),
  url: z.string().optional(),
  spool: z.string().min(1).optional(),
  spoolLimit: wholeNumber(1, 100_000),
});

/** `proxy`: lets clients that stream push to a server that takes no streams. */
export function addProxyCommand(program: Command): void {
  const proxy = program
    .command("proxy")
    .summary("push images through this machine, straight into storage")
    .description(
      "Listens on 127.0.0.1 and hands everything that OCI clients ask for on to a server, with your login, until Ctrl-C. Layers that docker, podman, skopeo or crane stream are kept in a temporary file until they are whole, and then sent with their length and digest: that way they pass the server's functions by, and its size limit. Every program on this machine can use the proxy with your token.",
    )
    .option("--port <port>", "port to listen on, 0 for any free one", "5051")
    .option("--url <url>", "server to speak to (default: ENTREPOT_URL, or the last login)")
    .option("--spool <folder>", "where unfinished uploads are kept (default: the temporary folder)")
    .option("--spool-limit <gib>", "room for all of them, in GiB", "20");
  withExamples(proxy, [
    "proxy",
    "proxy --url https://packages.example.com --port 5051",
    "# then: docker push 127.0.0.1:5051/<registry>/<image>:<tag>",
  ]).action(async (_options: unknown, command: Command) => {
    const { port, url, spool, spoolLimit } = parseOptions(command, flagsSchema);
    const output = outputOf(command);
    const connection = await findConnection(process.env, url);
    // Loaded only here: every other command starts without it.
    const { startProxy } = await import("../proxy/run-proxy.ts");
    const running = await startProxy(connection, {
      port,
      spoolFolder: spool ?? tmpdir(),
      spoolLimitBytes: spoolLimit * GIB,
      warn: (text) => output.warn(text),
    });
    const { host } = new URL(running.url);
    const whoever = connection.token === undefined ? "with the clients' own logins" : "as you";
    output.note(
      `listening on ${running.url}, for ${connection.url} ${whoever}\nPush to it:  docker push ${host}/<registry>/<image>:<tag>`,
    );
    await new Promise<void>((resolve) => {
      process.once("SIGINT", () => resolve());
      process.once("SIGTERM", () => resolve());
    });
    await running.stop();
  });
}
