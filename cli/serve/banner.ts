import type { ServeConfig } from "./config.ts";
import type { Running } from "./serve.ts";

/** What a person reads first: where the registry is, how to get in, and what to do next. */
export function banner(config: ServeConfig, running: Running): string {
  const { url, firstAdminToken } = running;
  const token =
    firstAdminToken === undefined
      ? []
      : [
          `  Admin token   ${firstAdminToken}`,
          "                Shown this once and stored only as a hash: keep it.",
        ];
  return `${[
    "",
    `  Entrepot is listening on ${url}`,
    "",
    `  ${config.stores === "local" ? "Data folder" : "Stores     "}   ${running.place}`,
    ...token,
    "",
    "  Next",
    `    npm run entrepot -- login --url ${url}`,
    "    npm run entrepot -- registry create my-npm --ecosystem npm",
    "    npm run entrepot -- setup my-npm npm",
    "",
  ].join("\n")}\n`;
}
