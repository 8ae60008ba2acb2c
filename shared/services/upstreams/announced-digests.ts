import { digestIn, type Digests } from "../../domain/digest.ts";
import type { PackageFile } from "../../domain/package.ts";
import type { Upstream } from "../../domain/upstream.ts";
import { UpstreamFailedError } from "../../errors.ts";
import type { Blobs } from "../../ports/blobs.ts";
import { readBody } from "../outbound-body.ts";
import { collect } from "../streams.ts";
import type { ListedFile } from "../views/listing.ts";
import { asFailure, type UpstreamClient } from "./upstream-client.ts";

/** A sum, perhaps with the name of its file; a page that says "not found" may be longer, and is none. */
const MAX_SUM_BYTES = 4096;

/** Enough to know a page by. */
const SNIFFED_BYTES = 512;

/**
 * What the files beside a file say of its bytes: the first sum that is there. Empty when there is none.
 *
 * @throws {UpstreamFailedError} when the upstream does not say.
 */
export async function digestsBeside(
  client: UpstreamClient,
  upstream: Upstream,
  sums: NonNullable<ListedFile["sums"]>,
): Promise<Partial<Digests>> {
  for (const { algorithm, url } of sums) {
    const answer = await client.send(upstream, {
      target: url,
      headers: { accept: "*/*", "accept-encoding": "identity" },
      maxBodyBytes: MAX_SUM_BYTES,
    });
    if (answer.status !== 200 && answer.status !== 404 && answer.status !== 410) {
      throw await client.refusal(upstream, answer);
    }
    const isThere =
      answer.status === 200 && Number(answer.headers.get("content-length") ?? 0) <= MAX_SUM_BYTES;
    if (!isThere) {
      await answer.body.cancel().catch(() => undefined);
      continue;
    }
    try {
      const text = Buffer.from(await readBody(answer, MAX_SUM_BYTES)).toString("latin1");
      const hex = digestIn(text, algorithm);
      if (hex !== undefined) return { [algorithm]: hex };
    } catch (error) {
      throw asFailure(upstream, error);
    }
  }
  return {};
}

/**
 * Without a sum nothing else would tell a file from the page of a server that answers 200 to everything.
 *
 * @throws {UpstreamFailedError} for a page in the place of what is none.
 */
export async function requireNoPage(
  blobs: Pick<Blobs, "open">,
  upstream: Upstream,
  path: string,
  { sizeBytes, digests }: Pick<PackageFile, "sizeBytes" | "digests">,
): Promise<void> {
  if (sizeBytes === 0 || /\.html?$/i.test(path)) return;
  const end = Math.min(sizeBytes, SNIFFED_BYTES) - 1;
  const body = await blobs.open(digests.sha256, { start: 0, end });
  const head = body === undefined ? "" : (await collect(body, SNIFFED_BYTES)).toString("latin1");
  if (!/^(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html)[\s>]/i.test(head)) return;
  throw new UpstreamFailedError(
    `The upstream "${upstream.key}" sent a page in the place of ${path}.`,
  );
}
