import { defineConfig } from "../infra/config/define.ts";
import { LOCAL_ACCOUNT, LOCAL_REGION } from "./endpoint.ts";

/** A deployment to an emulator: the defaults, but for what can be thrown away. */
export const config = defineConfig({
  name: "local",
  account: LOCAL_ACCOUNT,
  region: LOCAL_REGION,
  storage: { deletionProtection: false },
  // The emulator does not know all that alarms are made of.
  observability: { alarms: false, dashboards: false },
});
