import type { LoadScale, ProtocolLoad } from "../../protocol-bench.ts";
import type { PypiServer } from "../servers.ts";

interface Scale extends LoadScale {
  /** For loads that run for a number of requests. */
  readonly requests: number;
  /** Numbers of files of the pages that there are. */
  readonly pages: readonly number[];
  /** Sizes of the wheels that there are. */
  readonly wheelBytes: readonly number[];
}

export type Load = ProtocolLoad<PypiServer, Scale>;

/** The path of a project's only file, as the project's page links it. */
export async function findFile(server: PypiServer, project: string): Promise<string> {
  const page = `http://127.0.0.1:${server.port}${server.simplePath}${project}/`;
  const answer = await fetch(page, { headers: { ...server.headers, accept: "text/html" } });
  const [, href] = /href="([^"#]+)/.exec(await answer.text()) ?? [];
  if (href === undefined) throw new Error(`${page} has no link (${answer.status})`);
  return new URL(href, page).pathname;
}
