import {
  AlreadyExistsError,
  ConfirmationRequiredError,
  ConflictError,
  ForbiddenError,
  InvalidInputError,
  NotFoundError,
} from "../errors.ts";
import { randomText } from "../domain/identifiers.ts";
import type { Caller } from "../domain/principal.ts";
import { compositesOf, withoutRegistry } from "../domain/registry-graph.ts";
import {
  DEFAULT_POLICIES,
  type Registry,
  type RegistryPolicies,
  SLUG_PATTERN,
} from "../domain/registry.ts";
import { NO_ROUTING } from "../domain/routing.ts";
import { mapPage, type PageOf, type PageOptions } from "../records/pages.ts";
import {
  createRegistryOp,
  deleteRegistryOps,
  listRegistriesQuery,
  registryKey,
  replaceRegistryOp,
  toRegistry,
} from "../records/registries.ts";
import { type Access, mayUse, type RegistryGrant } from "./access.ts";
import { recordOps } from "./audit.ts";
import type { RegistryComposer } from "./registry-composer.ts";
import type { RegistryDirectory } from "./registry-directory.ts";
import type { RoutingEdits } from "./registry-routing.ts";
import type { RegistryStructure, StructureDecision } from "./registry-structure.ts";
import type { Stores } from "./stores.ts";

export type NewRegistry = Pick<Registry, "slug" | "ecosystem" | "kind" | "visibility"> &
  RegistryEdits;

/** What may be changed later; absent stays as it is. */
export interface RegistryEdits extends RoutingEdits {
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
  readonly #structure: RegistryStructure;
  readonly #composer: RegistryComposer;

  constructor(
    stores: Stores,
    access: Access,
    directory: RegistryDirectory,
    structure: RegistryStructure,
    composer: RegistryComposer,
  ) {
    this.#stores = stores;
    this.#access = access;
    this.#directory = directory;
    this.#structure = structure;
    this.#composer = composer;
  }

  /** @throws {AlreadyExistsError} | {@link ForbiddenError} | {@link InvalidInputError}, and as {@link RegistryComposer.compose}. */
  async create(caller: Caller, input: NewRegistry): Promise<Registry> {
    const principal = this.#access.requireScope(caller, "registries:write");
    if (!SLUG_PATTERN.test(input.slug)) {
      throw new InvalidInputError(
        `"${input.slug.slice(0, 80)}" cannot be a slug: use 1 to 63 of a-z, 0-9, - and _, with dashes, or one or two underscores, between letters or digits.`,
        [{ at: "/slug", problem: "not a slug" }],
      );
    }
    const registry = newRegistry(input, this.#stores.now());
    if (!mayUse(principal, "registries:write", registry)) {
      throw new ForbiddenError(`Your token does not cover a registry named "${input.slug}".`);
    }
    const made = await this.#writer(registry)(async (nodes) => {
      if ((await this.#find(input.slug)) !== undefined) {
        throw new AlreadyExistsError("registry", input.slug);
      }
      const composed = await this.#composer.compose(caller, registry, input, nodes);
      const result = { ...registry, routing: composed.routing };
      const what = happening("registry.create", result);
      const ops = [
        createRegistryOp(result),
        ...composed.ops,
        ...recordOps(caller, what, result.id, result.createdAtMs),
      ];
      return { nodes: composed.nodes, ops, result };
    });
    this.#directory.forget(input.slug);
    return made;
  }

  /** Those that the caller may know of, by slug; a page may be short. */
  async list(caller: Caller, options: PageOptions): Promise<PageOf<Registry>> {
    const page = mapPage(await this.#stores.table.query(listRegistriesQuery(options)), toRegistry);
    const visible = (registry: Registry): boolean =>
      mayUse(caller.principal, "packages:read", registry) ||
      mayUse(caller.principal, "registries:read", registry);
    return { ...page, items: page.items.filter(visible) };
  }

  /** @throws as {@link RegistryComposer.compose}. */
  async update(caller: Caller, slug: string, edits: RegistryEdits): Promise<Registry> {
    const { registry } = await this.#open(caller, slug, "registries:write");
    const after = await this.#writer(registry)(async (nodes) => {
      const before = await this.#get(slug);
      const nowMs = Math.max(this.#stores.now(), before.updatedAtMs + 1);
      const changed = { ...withEdits(before, edits), updatedAtMs: nowMs };
      const composed = await this.#composer.compose(caller, changed, edits, nodes);
      const result = { ...changed, routing: composed.routing };
      const ops = [
        replaceRegistryOp(result, before.updatedAtMs),
        ...composed.ops,
        ...recordOps(caller, happening("registry.update", result, edits), result.id, nowMs),
      ];
      return { nodes: composed.nodes, ops, result };
    });
    this.#directory.forget(slug);
    return after;
  }

  /**
   * Takes a registry out of sight with everything in it; the slug is free at once, the bytes are reclaimed
   * by the worker after the restore window.
   *
   * @throws {ConfirmationRequiredError} unless `confirmation` is the slug, typed by a person; {@link ConflictError}
   *   while a composite reads from it: under a slug that is free, anybody's packages could come in.
   */
  async remove(caller: Caller, slug: string, confirmation: string | undefined): Promise<void> {
    const { registry } = await this.#open(caller, slug, "registries:delete");
    if (confirmation !== slug) {
      throw new ConfirmationRequiredError(
        `This deletes registry "${slug}" and every package in it. Confirm by sending its name: ?confirm=${slug}`,
      );
    }
    const nowMs = this.#stores.now();
    const reclaimAtMs = nowMs + registry.policies.restoreDays * DAY_MS;
    await this.#structure.change(async (nodes) => {
      const present = await this.#get(slug);
      if (present.id !== registry.id) throw new NotFoundError("registry", slug);
      const users = compositesOf(nodes, slug);
      if (users.length > 0) {
        throw new ConflictError(
          `Registry "${slug}" is read through ${users.map((user) => `"${user}"`).join(", ")}. Take it out there first.`,
        );
      }
      const ops = [
        ...deleteRegistryOps(present, reclaimAtMs),
        ...recordOps(caller, happening("registry.delete", present), present.id, nowMs),
      ];
      return { nodes: withoutRegistry(nodes, slug), ops, result: undefined };
    });
    this.#directory.forget(slug);
  }

  /** Source registries hang on nothing: making and changing them waits for nobody. */
  #writer({ kind }: Registry) {
    return <T>(decide: StructureDecision<T>): Promise<T> =>
      kind === "source" ? this.#structure.changeAlone(decide) : this.#structure.change(decide);
  }

  /** Reads past the directory's memory: changes start from what is stored. */
  async #open(
    caller: Caller,
    slug: string,
    scope: "registries:write" | "registries:delete",
  ): Promise<RegistryGrant> {
    this.#directory.forget(slug);
    const grant = await this.#access.openAny(caller, slug);
    grant.require(scope);
    return grant;
  }

  async #get(slug: string): Promise<Registry> {
    const found = await this.#find(slug);
    if (found === undefined) throw new NotFoundError("registry", slug);
    return found;
  }

  async #find(slug: string): Promise<Registry | undefined> {
    const item = await this.#stores.table.get(registryKey(slug));
    return item === undefined ? undefined : toRegistry(item);
  }
}

const newRegistry = (input: NewRegistry, nowMs: number): Registry => ({
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
});

/** All edits but those of the routing. */
const withEdits = (before: Registry, edits: RegistryEdits): Registry => ({
  ...before,
  visibility: edits.visibility ?? before.visibility,
  description: edits.description ?? before.description,
  emoji: edits.emoji ?? before.emoji,
  colour: edits.colour ?? before.colour,
  labels: edits.labels ?? before.labels,
  policies: { ...before.policies, ...edits.policies },
});

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
