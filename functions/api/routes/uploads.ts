import { createRoute } from "@hono/zod-openapi";
import { NotFoundError } from "../../../shared/errors.ts";
import type { PackageFile } from "../../../shared/domain/package.ts";
import type { Caller } from "../../../shared/domain/principal.ts";
import type { Upload } from "../../../shared/records/uploads.ts";
import type { RegistryGrant } from "../../../shared/services/access.ts";
import type { Services } from "../../../shared/services/services.ts";
import { UPLOAD_INTAKES } from "../../upload-intakes.ts";
import { renderFile } from "../render.ts";
import { closed } from "../schema/common.ts";
import { fileView } from "../schema/packages.ts";
import {
  newUpload,
  partTickets,
  startedUpload,
  uploadIdParam,
  uploadProgress,
  wantedParts,
} from "../schema/uploads.ts";
import { type ApiRouter, createRouter } from "../validation.ts";
import { body, CHANGE_PROBLEMS, created, json, noContent, READ_PROBLEMS } from "./responses.ts";
import { firstTickets, renderUpload, ticketsFor } from "./upload-views.ts";

const tags = ["Uploads"];
const params = closed({ id: uploadIdParam });

const begin = createRoute({
  method: "post",
  path: "/uploads",
  operationId: "beginUpload",
  summary: "Start to send a file in parts, straight to storage (scope `packages:write`)",
  tags,
  request: { body: body(newUpload) },
  responses: { 201: created("Where to send the parts.", startedUpload), ...CHANGE_PROBLEMS },
});

const get = createRoute({
  method: "get",
  path: "/uploads/{id}",
  operationId: "getUpload",
  summary: "Which parts of your upload have arrived",
  tags,
  request: { params },
  responses: { 200: json("The upload.", uploadProgress), ...READ_PROBLEMS },
});

const parts = createRoute({
  method: "post",
  path: "/uploads/{id}/parts",
  operationId: "getPartTickets",
  summary: "New tickets for parts: those beyond the first 100, and those that have expired",
  tags,
  request: { params, body: body(wantedParts) },
  responses: { 200: json("Where to send the parts.", partTickets), ...CHANGE_PROBLEMS },
});

const complete = createRoute({
  method: "post",
  path: "/uploads/{id}/complete",
  operationId: "completeUpload",
  summary: "Verify the bytes and publish the file, or give the image its blob",
  tags,
  request: { params },
  responses: {
    201: created("The published file, or the image's blob.", fileView),
    ...CHANGE_PROBLEMS,
  },
});

const abort = createRoute({
  method: "delete",
  path: "/uploads/{id}",
  operationId: "abortUpload",
  summary: "Give an upload up",
  tags,
  request: { params },
  responses: { 204: noContent("Its parts are gone."), ...CHANGE_PROBLEMS },
});

/** `/uploads`: bytes that do not pass through us. */
export function createUploadRoutes(services: Services): ApiRouter {
  const { uploads, access } = services;
  return createRouter()
    .openapi(begin, async (c) => {
      const caller = c.get("caller");
      const { registry, package: packageName, ...rest } = c.req.valid("json");
      const door = await access.openAny(caller, registry);
      const grant = await access.holding(door, "packages:write");
      grant.require("packages:write");
      const upload = await uploads.begin(grant, { packageName, ...rest });
      const tickets = await firstTickets(services, upload, caller.baseUrl);
      const headers = { location: `/api/v1/uploads/${upload.id}` };
      return c.json({ ...renderUpload(services, upload), parts: tickets }, 201, headers);
    })
    .openapi(get, async (c) => {
      const { upload } = await open(services, c.get("caller"), c.req.valid("param").id);
      const arrived = (await uploads.listParts(upload)).map(({ partNumber, sizeBytes }) => ({
        partNumber,
        sizeBytes,
      }));
      return c.json({ ...renderUpload(services, upload), arrived }, 200);
    })
    .openapi(parts, async (c) => {
      const caller = c.get("caller");
      const { upload } = await open(services, caller, c.req.valid("param").id);
      const wanted = [...new Set(c.req.valid("json").partNumbers)];
      return c.json({ parts: await ticketsFor(services, upload, wanted, caller.baseUrl) }, 200);
    })
    .openapi(complete, async (c) => {
      const caller = c.get("caller");
      const { grant, upload } = await open(services, caller, c.req.valid("param").id);
      const { ecosystem } = grant.registry;
      const digests = await uploads.complete(upload, (file) =>
        UPLOAD_INTAKES[ecosystem](services, grant, file),
      );
      const { uploadsBecome } = services.ecosystems[ecosystem];
      const file =
        uploadsBecome === "blobs"
          ? { ...upload, digests, createdAtMs: services.stores.now() }
          : await publishedFile(services, grant, upload);
      const view = renderFile(grant.registry, file, caller.baseUrl);
      const location = view.downloadUrl.slice(caller.baseUrl.length);
      return c.json(view, 201, { location });
    })
    .openapi(abort, async (c) => {
      const { upload } = await open(services, c.get("caller"), c.req.valid("param").id);
      await uploads.abort(upload);
      return c.body(null, 204);
    });
}

/** The caller's own upload, with the right to go on with it. */
async function open(
  services: Services,
  caller: Caller,
  id: string,
): Promise<{ readonly grant: RegistryGrant; readonly upload: Upload }> {
  services.access.requireScope(caller, "packages:write");
  const grant = await services.access.openAny(caller, await services.uploads.registryOf(id));
  const upload = await services.uploads.get(grant, id);
  grant.require("packages:write", upload.packageName);
  return { grant, upload };
}

/** An ecosystem may publish an upload under a path of its own choice: then it is found by its bytes. */
async function publishedFile(
  { catalogue }: Services,
  grant: RegistryGrant,
  { packageName, version, path, sha256 }: Upload,
): Promise<PackageFile> {
  const page = await catalogue.listFiles(grant, packageName, version, { limit: 100, prefix: path });
  const exact = page.items.find((file) => file.path === path);
  if (exact !== undefined) return exact;
  const all = await catalogue.listFiles(grant, packageName, version, { limit: 100 });
  const same = all.items.find(({ digests }) => digests.sha256 === sha256);
  if (same === undefined) throw new NotFoundError("file", path);
  return same;
}
