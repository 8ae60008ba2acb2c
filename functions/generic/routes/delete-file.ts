import type { Context } from "hono";
import type { AppEnv } from "../../../shared/http/app.ts";
import type { Services } from "../../../shared/services/services.ts";
import { refuseConditions } from "../conditions.ts";
import { parseFileTarget } from "../target.ts";

/** DELETE of one file; with its last file the version goes. */
export async function deleteFile(c: Context<AppEnv>, services: Services): Promise<Response> {
  refuseConditions(c);
  const { registry, packageName, version, path } = parseFileTarget(c);
  const caller = c.get("caller");
  const grant = await services.access.open(
    caller,
    registry,
    "generic",
    "packages:delete",
    packageName,
  );
  await services.fileEdits.deleteFile(grant, { packageName, version, path });
  return c.body(null, 204);
}
