import { ConflictError, ForbiddenError, NotFoundError } from "../errors.ts";
import type { AuditAction } from "../domain/audit.ts";
import {
  ACTIVE_STANDING,
  isAvailable,
  isQuarantined,
  type Package,
  type Tag,
  type Version,
} from "../domain/package.ts";
import { ConditionFailedError, type WriteOp } from "../ports/table.ts";
import {
  deleteDocumentOp,
  documentKey,
  type StoredDocument,
  toDocument,
} from "../records/documents.ts";
import {
  countListingOp,
  listPackageOp,
  packageKey,
  putPackageOp,
  toPackage,
  unlistPackageOp,
} from "../records/packages.ts";
import { removeReferenceOp } from "../records/blob-references.ts";
import { listTagsQuery, toTag } from "../records/tags.ts";
import type { RegistryGrant } from "./access.ts";
import { recordOps } from "./audit.ts";
import { renderDocument } from "./documents.ts";
import type { ClosingChange, DocumentView, Ecosystem } from "./ecosystem.ts";
import { KeyedLock } from "./keyed-lock.ts";
import { queryAll, readVersions } from "./queries.ts";
import { termOps } from "./search.ts";
import type { Ecosystems, Stores } from "./stores.ts";

/** A package as it stands when a change is decided. */
export interface CurrentPackage {
  /** `undefined` when it never existed. */
  readonly package: Package | undefined;
  /** All of its tags where documents hold them or {@link ChangeOptions.withTags} asks for them; otherwise none. */
  readonly tags: readonly Tag[];
}

export interface PackageChange {
  /** The package after the change; its revision is counted for you. */
  readonly package: Package;
  readonly tags: readonly Tag[];
  /** Rows to change besides the package, its documents, search terms, audit log and outbox. */
  readonly ops: readonly WriteOp[];
  /**
   * What becomes of the documents: one entry more, a new closing, all anew with `changed` in the place of the
   * rows of the same name, none any more, or as they are.
   */
  readonly documents:
    | { readonly kind: "append"; readonly version: Version }
    | { readonly kind: "closing" }
    | { readonly kind: "rebuild"; readonly changed: readonly Version[] }
    | { readonly kind: "remove" }
    | { readonly kind: "keep" };
  readonly readme?: string;
  /** A package without versions keeps its row in the registry's list, by which whatever is left of it is found. */
  readonly staysListed?: boolean;
  readonly audit: readonly {
    readonly action: AuditAction;
    readonly version: string;
    readonly detail: string;
  }[];
}

export interface ChangeOptions {
  /** Reads every tag of the package, of which there may be very many. */
  readonly withTags?: boolean;
}

/** Enough for any burst that a package really sees; each try waits for all changes before it in this process. */
const MAX_TRIES = 30;

/**
 * The one way in which a package changes: read it, decide, render its documents, and write everything in one
 * transaction that holds only if nobody changed the package meanwhile; otherwise start again.
 */
export class PackageChanges {
  readonly #stores: Stores;
  readonly #ecosystems: Ecosystems;
  readonly #lock = new KeyedLock();

  constructor(stores: Stores, ecosystems: Ecosystems) {
    this.#stores = stores;
    this.#ecosystems = ecosystems;
  }

  /**
   * `decide` may run several times and must not change anything itself; what it throws ends the change. It
   * gives `undefined` when there is nothing to do.
   *
   * @throws {ConflictError} when other processes kept winning.
   */
  async apply(
    grant: RegistryGrant,
    packageName: string,
    decide: (current: CurrentPackage) => Promise<PackageChange | undefined>,
    options: ChangeOptions = {},
  ): Promise<PackageChange | undefined> {
    return this.#lock.run(`${grant.registry.id}#${packageName}`, async () => {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const outcome = await this.#tryOnce(grant, packageName, decide, options);
        if (outcome !== "lost") return outcome;
      }
      throw new ConflictError(
        `Package "${packageName}" is being changed by others too often; try again.`,
      );
    });
  }

  async #tryOnce(
    grant: RegistryGrant,
    packageName: string,
    decide: (current: CurrentPackage) => Promise<PackageChange | undefined>,
    options: ChangeOptions,
  ): Promise<PackageChange | undefined | "lost"> {
    const { table } = this.#stores;
    const registryId = grant.registry.id;
    const { renderers } = this.#ecosystems[grant.registry.ecosystem];
    const [packageItem, ...documentItems] = await table.getMany([
      packageKey(registryId, packageName),
      ...renderers.map(({ kind }) => documentKey(registryId, packageName, kind)),
    ]);
    const before = packageItem === undefined ? undefined : toPackage(packageItem);
    const tags =
      before === undefined || (renderers.length === 0 && options.withTags !== true)
        ? []
        : (await queryAll(table, (page) => listTagsQuery(registryId, packageName, page))).map(
            toTag,
          );
    const change = await decide({ package: before, tags });
    if (change === undefined) return undefined;
    const documents = documentItems.map((item) =>
      item === undefined ? undefined : toDocument(item),
    );
    const ops = await this.#ops(grant, before, change, documents);
    try {
      await table.write(ops);
      return change;
    } catch (error) {
      // Whatever condition failed, somebody changed what was read: the next try decides anew and says it in words.
      if (error instanceof ConditionFailedError) return "lost";
      throw error;
    }
  }

  async #ops(
    grant: RegistryGrant,
    before: Package | undefined,
    change: PackageChange,
    documents: readonly (StoredDocument | undefined)[],
  ): Promise<readonly WriteOp[]> {
    const { registry, caller } = grant;
    const after = change.package;
    const readRevision = before?.revision ?? 0;
    const wasListed = before?.state === "active";
    const isListed = after.state === "active";
    const { countsListing } = this.#ecosystems[registry.ecosystem];
    return [
      putPackageOp(after, readRevision),
      ...(isListed && !wasListed ? [listPackageOp(registry.id, after.name)] : []),
      ...(wasListed && !isListed && change.staysListed !== true
        ? [unlistPackageOp(registry.id, after.name)]
        : []),
      ...(wasListed !== isListed && countsListing === true ? [countListingOp(registry.id)] : []),
      ...termOps(registry.id, before, after),
      ...change.ops,
      ...(await this.#documentOps(grant, readRevision, change, documents)),
      ...change.audit.flatMap((entry) =>
        recordOps(
          caller,
          { ...entry, registry: registry.slug, package: after.name },
          registry.id,
          this.#stores.now(),
        ),
      ),
    ];
  }

  async #documentOps(
    grant: RegistryGrant,
    readRevision: number,
    change: PackageChange,
    stored: readonly (StoredDocument | undefined)[],
  ): Promise<readonly WriteOp[]> {
    const { registry, caller } = grant;
    const ecosystem = this.#ecosystems[registry.ecosystem];
    const { renderers } = ecosystem;
    const name = change.package.name;
    if (change.documents.kind === "keep" || renderers.length === 0) return [];
    if (change.documents.kind === "remove") {
      return stored.flatMap((document) =>
        document === undefined ? [] : removeDocumentOps(registry.id, name, document),
      );
    }
    const closing: ClosingChange =
      change.documents.kind === "rebuild"
        ? {
            kind: "rebuild",
            versions: isQuarantined(change.package)
              ? []
              : await this.#availableVersions(registry.id, name, change.documents.changed),
          }
        : change.documents;
    const readme = change.readme ?? (await readReadme(ecosystem, change.package, closing));
    const rendered = await Promise.all(
      renderers.map(async (renderer, position) => {
        const previous = stored[position];
        const view: DocumentView = {
          registry,
          packageName: name,
          // A document has one base URL; reads under another rewrite it.
          baseUrl: previous?.baseUrl ?? caller.baseUrl,
          package: { ...change.package, revision: readRevision + 1 },
          tags: change.tags,
          readme,
        };
        return renderDocument(this.#stores, renderer, view, previous, closing, this.#stores.now());
      }),
    );
    return rendered.flatMap(({ ops }) => ops);
  }

  /** In the order of publication, with rows that this change is about to write in place of those that are stored. */
  async #availableVersions(
    registryId: string,
    packageName: string,
    changed: readonly Version[],
  ): Promise<readonly Version[]> {
    const overlay = new Set(changed.map(({ version }) => version));
    const versions = await readVersions(this.#stores.table, registryId, packageName);
    const stored = versions.filter(({ version }) => !overlay.has(version));
    // What is about to be written may be new: the first version of a package that comes back to life.
    return [...stored, ...changed].filter(isAvailable).sort((a, b) => a.sequence - b.sequence);
  }
}

/** What documents built anew show, because the latest version may be another than before. */
async function readReadme(
  { readReadme }: Ecosystem,
  { latestVersion }: Package,
  change: ClosingChange,
): Promise<string | undefined> {
  if (change.kind !== "rebuild" || readReadme === undefined) return undefined;
  const latest = change.versions.find(({ version }) => version === latestVersion);
  return latest === undefined ? undefined : readReadme(latest);
}

function removeDocumentOps(
  registryId: string,
  packageName: string,
  document: StoredDocument,
): readonly WriteOp[] {
  const remove = deleteDocumentOp(registryId, packageName, document.kind);
  if (document.blobSha256 === "") return [remove];
  const reference = { registryId, packageName, version: "", path: document.kind };
  return [remove, removeReferenceOp(document.blobSha256, reference)];
}

/** The package of a change, deleted or not. @throws {NotFoundError} when it never existed. */
export function requireKnown(current: CurrentPackage, packageName: string): Package {
  if (current.package === undefined) throw new NotFoundError("package", packageName);
  return current.package;
}

/** The package of a change. @throws {NotFoundError} when there is none that clients may see. */
export function requireActive(current: CurrentPackage, packageName: string): Package {
  const pkg = requireKnown(current, packageName);
  if (pkg.state !== "active") throw new NotFoundError("package", packageName);
  return pkg;
}

/** @throws {ForbiddenError} for a package whose standing lets nobody upload to it. */
export function requireUploadable(pkg: Package | undefined): void {
  const { status, reason } = pkg?.standing ?? ACTIVE_STANDING;
  if (status !== "archived" && status !== "quarantined") return;
  throw new ForbiddenError(
    `Package "${pkg?.name ?? ""}" is ${status} and takes no uploads${reason === "" ? "" : `: ${reason}`}. Set its status to active first.`,
  );
}
