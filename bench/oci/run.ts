import { runProtocolBench } from "../protocol-bench.ts";
import { figuresTable } from "./figures.ts";
import { seed } from "./fixtures.ts";
import { manifestPutLoad } from "./loads/manifests.ts";
import { pullLoad } from "./loads/pulls.ts";
import { pushLoad } from "./loads/pushes.ts";
import { readLoad } from "./loads/reads.ts";
import { tagsLoad } from "./loads/tags.ts";
import { measureOperations } from "./operations.ts";
import { SERVER_NAMES, startServer } from "./servers.ts";

await runProtocolBench({
  protocol: "oci",
  loads: [readLoad, pullLoad, pushLoad, manifestPutLoad, tagsLoad],
  serverNames: SERVER_NAMES,
  scale: ({ quick, durationMs }) => ({
    durationMs,
    blobBytes: quick ? [1e6, 10e6] : [1e6, 100e6, 1e9],
    maxPushBytes: quick ? 100e6 : 1e9,
    requests: quick ? 50 : 300,
    tags: quick ? 500 : 10_000,
  }),
  start: startServer,
  seed: (server, { blobBytes }, loads) => seed(server, loads.includes(pullLoad) ? blobBytes : []),
  measureOperations: (quick) => measureOperations(quick ? 10 : 50),
  tables: (samples, { blobBytes }) => [figuresTable(samples, blobBytes)],
});
