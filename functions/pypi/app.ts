import type { Hono } from "hono";
import { type AppEnv, createApp } from "../../shared/http/app.ts";
import { DocumentSender } from "../../shared/http/send-document.ts";
import type { Services } from "../../shared/services/services.ts";
import { PYPI_ERRORS } from "./errors.ts";
import { getFile, getProvenance } from "./routes/file.ts";
import { getProjectJson, getReleaseJson } from "./routes/json-api.ts";
import { getProject, listProjects } from "./routes/simple.ts";
import { getAudience, mintToken, OIDC_PATHS } from "./routes/trusted-publishing.ts";
import { uploadFile } from "./routes/upload.ts";
import { SimpleIndex } from "./simple-index.ts";

const ROOT = "/pypi/:registry";
/** The URL that uploads go to; poetry and others strip or add the slash. */
const UPLOAD = [ROOT, `${ROOT}/`, `${ROOT}/legacy`, `${ROOT}/legacy/`];
const PAGE = `${ROOT}/simple/:project/`;
const FILE = ":project/:version/:file";
const DOWNLOAD = `${ROOT}/files/${FILE}`;

/**
 * The protocols of the Python Package Index under `/pypi/<registry>`, as pip, uv, poetry, pdm and twine speak them, and
 * the exchange of trusted publishing, which they look for at the root of the host.
 */
export function createPypiApp(services: Services): Hono<AppEnv> {
  const documents = new DocumentSender(services);
  const index = new SimpleIndex(services);
  const app = createApp(services, { errors: PYPI_ERRORS, hotPaths: [PAGE, DOWNLOAD] });
  for (const path of UPLOAD) app.post(path, (c) => uploadFile(c, services));
  for (const slash of ["", "/"]) {
    app.get(`${ROOT}/simple${slash}`, (c) => listProjects(c, services, documents, index));
    app.get(`${ROOT}/simple/:project${slash}`, (c) => getProject(c, services, documents));
  }
  app.get(DOWNLOAD, (c) => getFile(c, services));
  app.get(`${ROOT}/integrity/${FILE}/provenance`, (c) => getProvenance(c, services));
  // The first is what the issue of this repository names, the second what clients derive from an upload URL.
  for (const root of [`${ROOT}/pypi`, ROOT]) {
    app.get(`${root}/:project/json`, (c) => getProjectJson(c, services, documents));
    app.get(`${root}/:project/:version/json`, (c) => getReleaseJson(c, services));
  }
  for (const root of ["", ROOT, `${ROOT}/legacy`]) {
    app.get(root + OIDC_PATHS.audience, getAudience);
    app.post(root + OIDC_PATHS.mint, mintToken);
  }
  return app;
}
