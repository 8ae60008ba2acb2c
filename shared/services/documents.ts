import { createHash } from "node:crypto";
import type { Version } from "../domain/package.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { WriteOp } from "../ports/table.ts";
import { addReferenceOps, removeReferenceOp } from "../records/blob-references.ts";
import { putDocumentOp, type StoredDocument } from "../records/documents.ts";
import {
  type AppendableGzip,
  appendGzip,
  buildGzip,
  readClosing,
  recloseGzip,
} from "./appendable-gzip.ts";
import { brotli, unzip } from "./compression.ts";
import type { ClosingChange, DocumentRenderer, DocumentView } from "./ecosystem.ts";
import type { Stores } from "./stores.ts";
import { collect } from "./streams.ts";

/** Compressed bodies up to this stay in the row (a row holds 400 KiB), unless the stores want fewer; others are blobs. */
const MAX_ROW_BODY_BYTES = 300 * 1024;
/** Bounds what reading a document's blob may take. */
const MAX_BODY_BYTES = 512 * 1024 * 1024;
/** Texts up to this get their brotli form with the publish; for larger ones a worker makes it. */
const MAX_INLINE_BROTLI_BYTES = 32 * 1024;

type DocumentStores = Pick<Stores, "blobs" | "maxRowDocumentBytes">;

const EMPTY = new Uint8Array(0);

/** The compressed body of a stored document, wherever it is. */
export async function documentBody(blobs: Blobs, document: StoredDocument): Promise<Uint8Array> {
  if (document.blobSha256 === "") return document.gzip;
  const stream = await blobs.open(document.blobSha256);
  if (stream === undefined) {
    throw new Error(`the blob ${document.blobSha256} of document ${document.kind} is missing`);
  }
  return collect(stream, MAX_BODY_BYTES);
}

/** The text of a stored document. */
export async function documentText(blobs: Blobs, document: StoredDocument): Promise<string> {
  return (await unzip(await documentBody(blobs, document))).toString("utf8");
}

export interface RenderedDocument {
  readonly document: StoredDocument;
  readonly ops: readonly WriteOp[];
}

/**
 * Renders one document after a change and gives the operations that store it. A document that is not there
 * yet is built from `availableVersions`; so is one that changed in the middle.
 */
export async function renderDocument(
  { blobs, maxRowDocumentBytes = MAX_ROW_BODY_BYTES }: DocumentStores,
  renderer: DocumentRenderer,
  view: DocumentView,
  previous: StoredDocument | undefined,
  change: ClosingChange,
  nowMs: number,
): Promise<RenderedDocument> {
  const rendered = await renderText(blobs, renderer, view, previous, change);
  const { gzip } = rendered;
  const large = gzip.length > maxRowDocumentBytes;
  const blobSha256 = large ? (await blobs.put(gzip)).sha256 : "";
  const brotliBody =
    rendered.lengthBytes <= MAX_INLINE_BROTLI_BYTES ? await brotli(await unzip(gzip)) : EMPTY;
  const { kind, contentType } = renderer;
  const document: StoredDocument = {
    ...inlineDocument({ kind, contentType, baseUrl: view.baseUrl }, rendered, nowMs),
    gzip: large ? EMPTY : gzip,
    brotli: brotliBody,
    blobSha256,
  };
  return { document, ops: storeOps(view, document, previous) };
}

/** A document with its whole body in it, as it is sent, and stored when it is small enough. */
export function inlineDocument(
  head: Pick<StoredDocument, "kind" | "contentType" | "baseUrl">,
  body: AppendableGzip,
  nowMs: number,
): StoredDocument {
  const etag = createHash("sha256").update(body.gzip).digest("base64url").slice(0, 27);
  return { ...head, ...body, etag, updatedAtMs: nowMs, brotli: EMPTY, blobSha256: "" };
}

function storeOps(
  view: DocumentView,
  document: StoredDocument,
  previous: StoredDocument | undefined,
): readonly WriteOp[] {
  const { registry, packageName } = view;
  const reference = {
    registryId: registry.id,
    packageName,
    version: "",
    path: document.kind,
  };
  const before = previous?.blobSha256 ?? "";
  const after = document.blobSha256;
  return [
    putDocumentOp(registry.id, packageName, document),
    ...(after !== "" && after !== before ? addReferenceOps(after, reference) : []),
    ...(before !== "" && after !== before ? [removeReferenceOp(before, reference)] : []),
  ];
}

async function renderText(
  blobs: Blobs,
  renderer: DocumentRenderer,
  view: DocumentView,
  previous: StoredDocument | undefined,
  change: ClosingChange,
): Promise<AppendableGzip> {
  const before: AppendableGzip | undefined =
    previous === undefined ? undefined : { ...previous, gzip: await documentBody(blobs, previous) };
  const previousClosing = before === undefined ? undefined : await readClosing(before);
  const closing = renderer.closing(view, previousClosing, change);
  if (before !== undefined && change.kind === "append") {
    return appendGzip(before, renderer.separator, renderer.entry(view, change.version), closing);
  }
  if (before !== undefined && change.kind === "closing") return recloseGzip(before, closing);
  return buildGzip(
    renderer.opening(view),
    entries(renderer, view, change),
    renderer.separator,
    closing,
  );
}

function* entries(
  renderer: DocumentRenderer,
  view: DocumentView,
  change: ClosingChange,
): Iterable<string> {
  const versions: readonly Version[] =
    change.kind === "rebuild" ? change.versions : change.kind === "append" ? [change.version] : [];
  for (const version of versions) yield renderer.entry(view, version);
}
