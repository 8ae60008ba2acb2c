import { runProtocolBench } from "../protocol-bench.ts";
import { seed } from "./fixtures.ts";
import { deployLoad } from "./loads/deploys.ts";
import { jarLoad, metadataLoad } from "./loads/reads.ts";
import { measureOperations } from "./operations.ts";
import { SERVER_NAMES, startServer } from "./servers.ts";

await runProtocolBench({
  protocol: "maven",
  loads: [metadataLoad, jarLoad, deployLoad],
  serverNames: SERVER_NAMES,
  scale: ({ quick, durationMs }) => ({
    durationMs,
    artifacts: quick ? 16 : 100,
    versions: quick ? [1, 20] : [1, 200],
    jarBytes: quick ? [20e3, 1e6] : [20e3, 1e6, 50e6],
  }),
  start: startServer,
  seed: (server, { versions, jarBytes }, loads) =>
    seed(
      server,
      loads.includes(metadataLoad) ? versions : [],
      loads.includes(jarLoad) ? jarBytes : [],
    ),
  measureOperations: (quick) => measureOperations(quick ? 5 : 30, quick ? 20 : 200),
});
