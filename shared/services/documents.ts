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
import { brotli, compress, unzip } from "./compression.ts";
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
  stores: DocumentStores,
  renderer: DocumentRenderer,
  view: DocumentView,
  previous: StoredDocument | undefined,
  change: ClosingChange,
  nowMs: number,
): Promise<RenderedDocument> {
  const rendered = await renderText(stores.blobs, renderer, view, previous, change);
  const document = await placed(stores, rendered, {
    kind: renderer.kind,
    contentType: renderer.contentType,
    updatedAtMs: nowMs,
    baseUrl: view.baseUrl,
    basis: "",
    validUntilMs: 0,
  });
  const place = { registryId: view.registry.id, packageName: view.packageName };
  return { document, ops: storeOps(place, document, previous) };
}

/** A document that is written as a whole, and never appended to. */
export interface WholeDocument {
  readonly registryId: string;
  readonly packageName: string;
  readonly kind: string;
  readonly contentType: string;
  /** Links in the text start with this; empty when it has none of ours. */
  readonly baseUrl: string;
  readonly text: Uint8Array;
  /** What it takes the place of. */
  readonly previous: StoredDocument | undefined;
  /** See {@link StoredDocument.basis}. */
  readonly basis?: string;
  /** See {@link StoredDocument.validUntilMs}. */
  readonly validUntilMs?: number;
}

/** Gives the operations that store a document made elsewhere. */
export async function wholeDocument(
  stores: DocumentStores & Pick<Stores, "now">,
  input: WholeDocument,
): Promise<RenderedDocument> {
  const { registryId, packageName, kind, contentType, baseUrl, previous } = input;
  const { basis = "", validUntilMs = 0 } = input;
  const gzip = await compress(input.text);
  const shape = {
    gzip,
    entryCount: 0,
    lengthBytes: input.text.length,
    sealedBytes: 0,
    sealedLengthBytes: 0,
    sealedCrc32: 0,
    openLengthBytes: 0,
  };
  const about = { kind, contentType, updatedAtMs: stores.now(), baseUrl, basis, validUntilMs };
  const document = await placed(stores, shape, about);
  return { document, ops: storeOps({ registryId, packageName }, document, previous) };
}

type AboutDocument = Pick<
  StoredDocument,
  "kind" | "contentType" | "updatedAtMs" | "baseUrl" | "basis" | "validUntilMs"
>;

/** A document with its whole body in it, as it is sent. */
export function inlineDocument(body: AppendableGzip, about: AboutDocument): StoredDocument {
  const etag = createHash("sha256").update(body.gzip).digest("base64url").slice(0, 27);
  return { ...body, ...about, etag, brotli: EMPTY, blobSha256: "" };
}

/** The row of a document, with its body in it or in a blob. */
async function placed(
  { blobs, maxRowDocumentBytes = MAX_ROW_BODY_BYTES }: DocumentStores,
  body: AppendableGzip,
  about: AboutDocument,
): Promise<StoredDocument> {
  const { gzip, lengthBytes } = body;
  const large = gzip.length > maxRowDocumentBytes;
  const blobSha256 = large ? (await blobs.put(gzip)).sha256 : "";
  const brotliBody =
    about.baseUrl !== "" && lengthBytes <= MAX_INLINE_BROTLI_BYTES
      ? await brotli(await unzip(gzip))
      : EMPTY;
  return {
    ...inlineDocument(body, about),
    gzip: large ? EMPTY : gzip,
    brotli: brotliBody,
    blobSha256,
  };
}

function storeOps(
  { registryId, packageName }: { readonly registryId: string; readonly packageName: string },
  document: StoredDocument,
  previous: StoredDocument | undefined,
): readonly WriteOp[] {
  const reference = {
    registryId,
    packageName,
    version: "",
    path: document.kind,
  };
  const before = previous?.blobSha256 ?? "";
  const after = document.blobSha256;
  return [
    putDocumentOp(registryId, packageName, document),
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
