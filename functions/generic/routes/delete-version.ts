import type { Context } from "hono";
import type { AppEnv } from "../../../shared/http/app.ts";
import type { Services } from "../../../shared/services/services.ts";
import { refuseConditions } from "../conditions.ts";
import { parseTarget } from "../target.ts";

/** DELETE of a version with all of its files; it can be restored through the API for a while. */
export async function deleteVersion(c: Context<AppEnv>, services: Services): Promise<Response> {
  refuseConditions(c);
  const { registry, packageName, version } = parseTarget(c, { latest: false });
  const caller = c.get("caller");
  const grant = await services.access.open(
    caller,
    registry,
    "generic",
    "packages:delete",
    packageName,
  );
  await services.lifecycle.deleteVersion(grant, packageName, version);
  return c.body(null, 204);
}
