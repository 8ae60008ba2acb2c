import type { Context } from "hono";
import { NotFoundError } from "../../../shared/errors.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import type { DocumentSender } from "../../../shared/http/send-document.ts";
import type { Services } from "../../../shared/services/services.ts";
import { chooseType } from "../accept.ts";
import { SIMPLE_HTML, SIMPLE_JSON, V1_JSON_TYPE } from "../render.ts";
import type { SimpleIndex } from "../simple-index.ts";
import { openProject, openRegistry } from "../target.ts";
import { simpleUrl } from "../urls.ts";

const VARY = { vary: "Accept, Accept-Encoding" };

/** `GET /simple/<project>/`: the project's files, in the form that the client asks for. */
export async function getProject(
  c: Context<AppEnv>,
  services: Services,
  documents: DocumentSender,
): Promise<Response> {
  const { grant, project, isNormal } = await openProject(c, services);
  const url = simpleUrl(grant.registry.slug, project);
  // Relative: behind a proxy only the client knows the name by which it came.
  if (!isNormal || !c.req.path.endsWith("/")) return redirect(url);
  const type = chooseType(c.req.header("accept"));
  const kind = type === V1_JSON_TYPE ? SIMPLE_JSON : SIMPLE_HTML;
  const document = await services.catalogue.findDocument(grant, project, kind);
  if (document === undefined) throw new NotFoundError("package", project);
  return documents.send(c, { ...document, contentType: type }, VARY);
}

/** `GET /simple/`: the projects that the caller may read. */
export async function listProjects(
  c: Context<AppEnv>,
  services: Services,
  documents: DocumentSender,
  index: SimpleIndex,
): Promise<Response> {
  const grant = await openRegistry(c, services, "packages:read");
  if (!c.req.path.endsWith("/")) return redirect(`/pypi/${grant.registry.slug}/simple/`);
  const type = chooseType(c.req.header("accept"));
  const document = await index.render(grant, type === V1_JSON_TYPE ? "json" : "html");
  return documents.send(c, { ...document, contentType: type }, VARY);
}

const redirect = (location: string): Response =>
  new Response(null, { status: 301, headers: { location, "cache-control": "private, no-cache" } });
