import type { Upstream } from "../../domain/upstream.ts";
import { readBody } from "../outbound-body.ts";
import type { UpstreamQuestions } from "../views/listing.ts";
import { asFailure, type UpstreamClient } from "./upstream-client.ts";

/** Of a page with all versions of a package. */
const MAX_TEXT_BYTES = 8 * 1024 * 1024;
/** No such thing, or not for us: all the same to who asks whether it is there. */
const NOT_THERE: ReadonlySet<number> = new Set([400, 401, 403, 404, 405, 410, 501]);

/** Questions to one upstream, whose answers nobody keeps. */
export function questionsTo(client: UpstreamClient, upstream: Upstream): UpstreamQuestions {
  return {
    text: async (target) => {
      const headers = { accept: "*/*", "accept-encoding": "gzip" };
      const answer = await client.send(upstream, { target, headers, maxBodyBytes: MAX_TEXT_BYTES });
      if (answer.status !== 200) {
        if (!NOT_THERE.has(answer.status)) throw await client.refusal(upstream, answer);
        await answer.body.cancel().catch(() => undefined);
        return undefined;
      }
      try {
        return Buffer.from(await readBody(answer, MAX_TEXT_BYTES)).toString("utf8");
      } catch (error) {
        throw asFailure(upstream, error);
      }
    },
    changedAtMs: async (target) => {
      const headers = { accept: "*/*", "accept-encoding": "identity" };
      const answer = await client.send(upstream, {
        method: "HEAD",
        target,
        headers,
        maxBodyBytes: MAX_TEXT_BYTES,
      });
      if (answer.status !== 200 && !NOT_THERE.has(answer.status)) {
        throw await client.refusal(upstream, answer);
      }
      await answer.body.cancel().catch(() => undefined);
      const time = Date.parse(answer.headers.get("last-modified") ?? "");
      return answer.status !== 200 || Number.isNaN(time) ? 0 : time;
    },
  };
}
