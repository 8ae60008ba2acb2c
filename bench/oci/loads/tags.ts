import { createHash } from "node:crypto";
import * as z from "zod";
import { putManifests } from "../fixtures.ts";
import { makeNoise } from "../noise.ts";
import { newAgent, pushBlob } from "../push.ts";
import type { OciServer } from "../servers.ts";
import { authorization, MANIFEST } from "../wire.ts";
import type { Load } from "./load.ts";

const IMAGE = "team/tagged";
export const tagsCase = (count: number): string => `list of ${count} tags`;
const page = z.object({ tags: z.array(z.string()).nullable() });

/** Lists all tags of one image, page by page as the server links them. The first round makes them. */
export const tagsLoad: Load = {
  name: "tags",
  run: async (server, { number, tags }) => {
    if (number === 0) await makeTags(server, tags);
    const startedAt = performance.now();
    const listed = await listTags(server);
    const seconds = (performance.now() - startedAt) / 1000;
    if (listed !== tags) throw new Error(`${server.name} lists ${listed} tags of ${tags}`);
    return [{ case: tagsCase(tags), metric: "seconds", value: seconds }];
  },
};

async function makeTags(server: OciServer, count: number): Promise<void> {
  const agent = newAgent(1);
  const noise = makeNoise(500);
  await pushBlob(server, agent, IMAGE, noise);
  agent.destroy();
  const mediaType = "application/vnd.oci.image.config.v1+json";
  const config = { mediaType, digest: noise.digest, size: noise.sizeBytes };
  const body = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [] }),
  );
  const reference = (at: number): string =>
    `tag-${createHash("md5").update(String(at)).digest("hex")}`;
  await putManifests(server, 16, count, (at) => ({ reference: reference(at), body }), IMAGE);
}

async function listTags(server: OciServer): Promise<number> {
  const origin = `http://127.0.0.1:${server.port}`;
  let next: string | undefined = `${origin}/v2/${server.prefix}${IMAGE}/tags/list?n=1000`;
  let count = 0;
  while (next !== undefined) {
    const answer: Response = await fetch(next, { headers: authorization(server) });
    if (answer.status !== 200) throw new Error(`${next} answered ${answer.status}`);
    count += page.parse(await answer.json()).tags?.length ?? 0;
    const link: string | undefined = /<([^>]+)>;\s*rel="?next/.exec(
      answer.headers.get("link") ?? "",
    )?.[1];
    next = link === undefined ? undefined : new URL(link, next).href;
  }
  return count;
}
