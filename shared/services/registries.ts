import {
  AlreadyExistsError,
  ConfirmationRequiredError,
  ConflictError,
  InvalidInputError,
  NotFoundError,
  UnsupportedError,
} from "../errors.ts";
import { randomText } from "../domain/identifiers.ts";
import type { Caller } from "../domain/principal.ts";
import {
  DEFAULT_POLICIES,
  type Registry,
  type RegistryPolicies,
  SLUG_PATTERN,
} from "../domain/registry.ts";
import { NO_ROUTING } from "../domain/routing.ts";
import { ConditionFailedError } from "../ports/table.ts";
import { mapPage, type PageOf, type PageOptions } from "../records/pages.ts";
import {
  createRegistryOp,
  deleteRegistryOps,
  listRegistriesQuery,
  registryKey,
  replaceRegistryOp,
  toRegistry,
} from "../records/registries.ts";
import { type Access, mayUse } from "./access.ts";
import { recordOps } from "./audit.ts";
import type { RegistryDirectory } from "./registry-directory.ts";
import type { Stores } from "./stores.ts";

export type NewRegistry = Pick<Registry, "slug" | "ecosystem" | "kind" | "visibility"> &
  RegistryEdits;

/** What may be changed later; absent stays as it is. */
export interface RegistryEdits {
  readonly visibility?: Registry["visibility"];
  readonly description?: string;
  readonly emoji?: string;
  readonly colour?: string;
  readonly labels?: readonly string[];
  readonly policies?: Partial<RegistryPolicies>;
}

const DAY_MS = 86_400_000;

export class Registries {
  readonly #stores: Stores;
  readonly #access: Access;
  readonly #directory: RegistryDirectory;

  constructor(stores: Stores, access: Access, directory: RegistryDirectory) {
    this.#stores = stores;
    this.#access = access;
    this.#directory = directory;
  }

  /** @throws {AlreadyExistsError} | {@link InvalidInputError} | {@link UnsupportedError} */
  async create(caller: Caller, input: NewRegistry): Promise<Registry> {
    const principal = this.#access.requireScope(caller, "registries:write");
    if (!SLUG_PATTERN.test(input.slug)) {
      throw new InvalidInputError(
        `"${input.slug.slice(0, 80)}" cannot be a slug: use 1 to 63 of a-z, 0-9, - and _, starting and ending with a letter or digit.`,
        [{ at: "/slug", problem: "not a slug" }],
      );
    }
    if (input.kind !== "source") {
      throw new UnsupportedError(
        `Registries of kind "${input.kind}" are not available in this version; create a "source".`,
      );
    }
    const nowMs = this.#stores.now();
    const registry: Registry = {
      id: randomText(12),
      slug: input.slug,
      ecosystem: input.ecosystem,
      kind: input.kind,
      visibility: input.visibility,
      description: input.description ?? "",
      emoji: input.emoji ?? "",
      colour: input.colour ?? "",
      labels: input.labels ?? [],
      policies: { ...DEFAULT_POLICIES, ...input.policies },
      routing: NO_ROUTING,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
    };
    if (!mayUse(principal, "registries:write", registry)) {
      throw new ConflictError(`Your token does not cover a registry named "${input.slug}".`);
    }
    try {
      await this.#stores.table.write([
        createRegistryOp(registry),
        ...recordOps(caller, happening("registry.create", registry), registry.id, nowMs),
      ]);
    } catch (error) {
      if (error instanceof ConditionFailedError)
        throw new AlreadyExistsError("registry", input.slug);
      throw error;
    }
    this.#directory.forget(input.slug);
    return registry;
  }

  /** Those that the caller may know of, by slug; a page may be short. */
  async list(caller: Caller, options: PageOptions): Promise<PageOf<Registry>> {
    const page = mapPage(await this.#stores.table.query(listRegistriesQuery(options)), toRegistry);
    const visible = (registry: Registry): boolean =>
      mayUse(caller.principal, "packages:read", registry) ||
      mayUse(caller.principal, "registries:read", registry);
    return { ...page, items: page.items.filter(visible) };
  }

  async update(caller: Caller, slug: string, edits: RegistryEdits): Promise<Registry> {
    const before = await this.#read(caller, slug, "registries:write");
    const { policies, ...rest } = edits;
    const nowMs = Math.max(this.#stores.now(), before.updatedAtMs + 1);
    const after: Registry = {
      ...before,
      ...rest,
      policies: { ...before.policies, ...policies },
      updatedAtMs: nowMs,
    };
    try {
      await this.#stores.table.write([
        replaceRegistryOp(after, before.updatedAtMs),
        ...recordOps(caller, happening("registry.update", after, edits), after.id, nowMs),
      ]);
    } catch (error) {
      if (error instanceof ConditionFailedError) {
        throw new ConflictError(
          `Registry "${slug}" was changed by somebody else meanwhile; look again, then repeat.`,
        );
      }
      throw error;
    } finally {
      this.#directory.forget(slug);
    }
    return after;
  }

  /**
   * Takes a registry out of sight with everything in it; the slug is free at once, the bytes are reclaimed
   * by the worker after the restore window.
   *
   * @throws {ConfirmationRequiredError} unless `confirmation` is the slug, typed by a person.
   */
  async remove(caller: Caller, slug: string, confirmation: string | undefined): Promise<void> {
    const registry = await this.#read(caller, slug, "registries:delete");
    if (confirmation !== slug) {
      throw new ConfirmationRequiredError(
        `This deletes registry "${slug}" and every package in it. Confirm by sending its name: ?confirm=${slug}`,
      );
    }
    const nowMs = this.#stores.now();
    const reclaimAtMs = nowMs + registry.policies.restoreDays * DAY_MS;
    try {
      await this.#stores.table.write([
        ...deleteRegistryOps(registry, reclaimAtMs),
        ...recordOps(caller, happening("registry.delete", registry), registry.id, nowMs),
      ]);
    } catch (error) {
      if (error instanceof ConditionFailedError) throw new NotFoundError("registry", slug);
      throw error;
    } finally {
      this.#directory.forget(slug);
    }
  }

  /** Reads past the directory's memory: changes start from what is stored. */
  async #read(
    caller: Caller,
    slug: string,
    scope: "registries:write" | "registries:delete",
  ): Promise<Registry> {
    this.#directory.forget(slug);
    const grant = await this.#access.openAny(caller, slug);
    grant.require(scope);
    const item = await this.#stores.table.get(registryKey(slug));
    if (item === undefined) throw new NotFoundError("registry", slug);
    return toRegistry(item);
  }
}

const happening = (
  action: "registry.create" | "registry.update" | "registry.delete",
  registry: Registry,
  edits?: RegistryEdits,
) => ({
  action,
  registry: registry.slug,
  package: "",
  version: "",
  detail: edits === undefined ? "" : JSON.stringify(edits).slice(0, 500),
});
