import { defineConfig } from "./infra/config/define.ts";

/** This deployment's options: docs/deploy.md has them all, and nothing has to be set. */
export const config = defineConfig({});
