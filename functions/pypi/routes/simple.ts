import type { Context } from "hono";
import { NotFoundError } from "../../../shared/errors.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import type { DocumentSender } from "../../../shared/http/send-document.ts";
import type { RegistryGrant } from "../../../shared/services/access.ts";
import type { Services } from "../../../shared/services/services.ts";
import { chooseType } from "../accept.ts";
import {
  API_VERSION,
  CLOSE_PAGE,
  openPage,
  SIMPLE_HTML,
  SIMPLE_JSON,
  V1_JSON_TYPE,
} from "../render.ts";
import { escapeHtml } from "../simple-file.ts";
import { openProject, openRegistry } from "../target.ts";
import { simpleUrl } from "../urls.ts";

const PAGE_PROJECTS = 100;
/** What one list may hold; nothing that lists more is of use to a client. */
const MAX_PROJECTS = 100_000;

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
  return documents.send(c, { ...document, contentType: type }, { vary: "Accept, Accept-Encoding" });
}

/** `GET /simple/`: the projects that the caller may read. */
export async function listProjects(c: Context<AppEnv>, services: Services): Promise<Response> {
  const grant = await openRegistry(c, services, "packages:read");
  if (!c.req.path.endsWith("/")) return redirect(`/pypi/${grant.registry.slug}/simple/`);
  const type = chooseType(c.req.header("accept"));
  const names = await projectNames(services, grant);
  const body =
    type === V1_JSON_TYPE
      ? JSON.stringify({
          meta: { "api-version": API_VERSION },
          projects: names.map((name) => ({ name })),
        })
      : `${openPage("Simple index", [])}${names.map(link).join("\n")}${CLOSE_PAGE}`;
  return new Response(body, {
    headers: { "content-type": type, "cache-control": "private, no-cache", vary: "Accept" },
  });
}

const link = (name: string): string =>
  `<a href="${encodeURIComponent(name)}/">${escapeHtml(name)}</a><br />`;

async function projectNames(services: Services, grant: RegistryGrant): Promise<readonly string[]> {
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await services.catalogue.listPackages(grant, {
      limit: PAGE_PROJECTS,
      ...(cursor === undefined ? {} : { cursor }),
    });
    names.push(...page.items.map(({ name }) => name));
    cursor = page.cursor;
  } while (cursor !== undefined && names.length < MAX_PROJECTS);
  return names;
}

const redirect = (location: string): Response =>
  new Response(null, { status: 301, headers: { location, "cache-control": "private, no-cache" } });
