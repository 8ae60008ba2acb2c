import { defineConfig } from "../infra/config/define.ts";
import { config as local } from "./entrepot.config.ts";

/** A second registry in the same account, which the deployment test makes and removes. */
export const config = defineConfig({ ...local, name: "second" });
