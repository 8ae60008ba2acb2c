import { runProtocolBench } from "../protocol-bench.ts";
import { seed } from "./fixtures.ts";
import { downloadLoad } from "./loads/downloads.ts";
import { pageLoad } from "./loads/pages.ts";
import { uploadLoad } from "./loads/uploads.ts";
import { measureOperations } from "./operations.ts";
import { SERVER_NAMES, startServer } from "./servers.ts";

await runProtocolBench({
  protocol: "pypi",
  loads: [pageLoad, downloadLoad, uploadLoad],
  serverNames: SERVER_NAMES,
  scale: ({ quick, durationMs, requests }) => ({
    durationMs,
    requests,
    pages: quick ? [1, 100] : [1, 100, 2000],
    wheelBytes: quick ? [10e3, 1e6] : [10e3, 10e6],
  }),
  start: startServer,
  seed: (server, { pages, wheelBytes }, loads) =>
    seed(server, pages, loads.includes(downloadLoad) ? wheelBytes : []),
  measureOperations: (quick) => measureOperations(quick ? 10 : 50, quick ? 100 : 2000),
});
