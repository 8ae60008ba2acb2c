import type { Item, WriteOp } from "../ports/table.ts";
import { removeBlobLinkReferenceOp, toBlobLink } from "../records/blob-links.ts";
import { removeReferenceOp } from "../records/blob-references.ts";
import { toDocument } from "../records/documents.ts";
import { toFile } from "../records/files.ts";

/** What keeps the blob of a package's row alive, to go with the row; nothing for rows without a blob. */
export function referenceRemovals(item: Item): readonly WriteOp[] {
  if (item.key.sk.startsWith("F#")) {
    const file = toFile(item);
    return [removeReferenceOp(file.digests.sha256, file)];
  }
  if (item.key.sk.startsWith("L#")) return [removeBlobLinkReferenceOp(toBlobLink(item))];
  if (item.key.sk.startsWith("D#")) {
    const document = toDocument(item);
    if (document.blobSha256 === "") return [];
    const [registryId, packageName] = splitPartition(item.key.pk);
    return [
      removeReferenceOp(document.blobSha256, {
        registryId,
        packageName,
        version: "",
        path: document.kind,
      }),
    ];
  }
  return [];
}

/** `P#<registryId>#<name>`: an id holds no `#`. */
function splitPartition(pk: string): readonly [string, string] {
  const rest = pk.slice(2);
  const hash = rest.indexOf("#");
  return [rest.slice(0, hash), rest.slice(hash + 1)];
}
