import type { ConfigInput } from "./schema.ts";

/** Gives `entrepot.config.ts` its types; the options are checked when the app reads them. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}
