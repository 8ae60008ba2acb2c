import type { Hono } from "hono";
import { type AppEnv, createApp } from "../../shared/http/app.ts";
import { methodNotAllowed, PROBLEMS } from "../../shared/http/problems.ts";
import type { Services } from "../../shared/services/services.ts";
import { deleteFile } from "./routes/delete-file.ts";
import { deletePackage } from "./routes/delete-package.ts";
import { deleteVersion } from "./routes/delete-version.ts";
import { getFile } from "./routes/get-file.ts";
import { listFiles } from "./routes/list-files.ts";
import { listPackages } from "./routes/list-packages.ts";
import { listVersions } from "./routes/list-versions.ts";
import { putFile } from "./routes/put-file.ts";

const both = (path: string): string[] => [path, `${path}/`];

const REGISTRY = both("/generic/:registry");
const PACKAGE = both("/generic/:registry/:package");
const VERSION = both("/generic/:registry/:package/:version");
const FOLDER = "/generic/:registry/:package/:version/:path{.+/}";
const FILE = "/generic/:registry/:package/:version/:path{.+}";

/** `/generic/<registry>/<package>/<version>/<path>`: any file, by plain HTTP. */
export function createGenericApp(services: Services): Hono<AppEnv> {
  // Routed by the path as it was sent: the routes decode it themselves, strictly.
  const app = createApp(services, { errors: PROBLEMS, canonicalPath: (path) => path });
  app.on("GET", REGISTRY, (c) => listPackages(c, services));
  app.on("GET", PACKAGE, (c) => listVersions(c, services));
  app.on("DELETE", PACKAGE, (c) => deletePackage(c, services));
  app.on("GET", [...VERSION, FOLDER], (c) => listFiles(c, services));
  app.on("DELETE", VERSION, (c) => deleteVersion(c, services));
  app.get(FILE, (c) => getFile(c, services));
  app.put(FILE, (c) => putFile(c, services));
  app.delete(FILE, (c) => deleteFile(c, services));
  for (const path of REGISTRY) app.all(path, (c) => methodNotAllowed(c, ["GET", "HEAD"]));
  for (const path of [...PACKAGE, ...VERSION]) {
    app.all(path, (c) => methodNotAllowed(c, ["GET", "HEAD", "DELETE"]));
  }
  app.all(FILE, (c) => methodNotAllowed(c, ["GET", "HEAD", "PUT", "DELETE"]));
  return app;
}
