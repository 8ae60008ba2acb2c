import type { Hono } from "hono";
import { type AppEnv, createApp } from "../../shared/http/app.ts";
import { methodNotAllowed, PROBLEMS } from "../../shared/http/problems.ts";
import { DocumentSender } from "../../shared/http/send-document.ts";
import type { Services } from "../../shared/services/services.ts";
import { get } from "./routes/get.ts";
import { put } from "./routes/put.ts";

/** In two, because Hono's fast router takes no parameter that may be empty. */
const ANY = ["/maven/:registry/", "/maven/:registry/:path{.+}"];

/** `/maven/<registry>/<path>`: Maven's repository layout, for Maven, Gradle, sbt, Ivy and whatever reads it. */
export function createMavenApp(services: Services): Hono<AppEnv> {
  // Routed by the path as it was sent: it is decoded strictly in one place. Build tools show the status of a failure
  // and little else; 404 makes them look in the next repository, so nothing but what is not there has it.
  const app = createApp(services, { errors: PROBLEMS, canonicalPath: (path) => path });
  const documents = new DocumentSender(services);
  for (const path of ANY) {
    app.get(path, (c) => get(c, services, documents));
    app.put(path, (c) => put(c, services));
    app.all(path, (c) => methodNotAllowed(c, ["GET", "HEAD", "PUT"]));
  }
  return app;
}
