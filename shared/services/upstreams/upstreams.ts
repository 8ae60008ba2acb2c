import {
  AlreadyExistsError,
  ConflictError,
  ForbiddenError,
  InvalidInputError,
  NotFoundError,
} from "../../errors.ts";
import { isDefined } from "../../domain/defined.ts";
import { randomText } from "../../domain/identifiers.ts";
import type { Caller, Principal } from "../../domain/principal.ts";
import { type EcosystemName, SLUG_PATTERN } from "../../domain/registry.ts";
import { proxiesOf } from "../../domain/registry-graph.ts";
import { hasScope, type Scope } from "../../domain/token.ts";
import { DEFAULT_UPSTREAM, needsSecret, presetOf, type Upstream } from "../../domain/upstream.ts";
import { ConditionFailedError, type WriteOp } from "../../ports/table.ts";
import { mapPage, type PageOf, type PageOptions } from "../../records/pages.ts";
import { registryKey, toRegistry } from "../../records/registries.ts";
import {
  createUpstreamOp,
  deleteUpstreamOp,
  listUpstreamsQuery,
  replaceUpstreamOp,
  toUpstream,
  upstreamKey,
} from "../../records/upstreams.ts";
import { type Access, mayUse } from "../access.ts";
import { recordOps } from "../audit.ts";
import type { RegistryStructure } from "../registry-structure.ts";
import type { Ecosystems, Stores } from "../stores.ts";
import { sealText } from "./sealed-text.ts";
import type { UpstreamDirectory } from "./upstream-directory.ts";
import { checkAuth, parseUpstreamUrl } from "./upstream-settings.ts";

/** What may be changed later; absent stays as it is. */
export type UpstreamEdits = Partial<
  Omit<Upstream, "id" | "key" | "ecosystem" | "sealedSecret" | "createdAtMs" | "updatedAtMs">
> & {
  /** Password, token or header's value, by the kind of authentication. Kept sealed, and never shown. */
  readonly secret?: string;
};

/** Ecosystem and URL may be absent where the key is that of a preset. */
export interface NewUpstream extends UpstreamEdits {
  readonly key: string;
  readonly ecosystem?: EcosystemName;
}

/** Place of the one sealed text in an upstream's row. */
export const secretPlace = ({ id }: Pick<Upstream, "id">) => ({ id, field: "secret" });

/** Whether a principal may do `scope` with an upstream: patterns of registries match its key as they do slugs. */
export function mayUseUpstream(principal: Principal, scope: Scope, key: string): boolean {
  return mayUse(principal, scope, { slug: key, visibility: "private" });
}

/** Upstreams as people manage them. */
export class Upstreams {
  readonly #stores: Stores;
  readonly #access: Access;
  readonly #structure: RegistryStructure;
  readonly #directory: UpstreamDirectory;
  readonly #ecosystems: Ecosystems;

  constructor(
    stores: Stores,
    access: Access,
    structure: RegistryStructure,
    directory: UpstreamDirectory,
    ecosystems: Ecosystems,
  ) {
    this.#ecosystems = ecosystems;
    this.#stores = stores;
    this.#access = access;
    this.#structure = structure;
    this.#directory = directory;
  }

  /** @throws {AlreadyExistsError} | {@link InvalidInputError} | {@link ForbiddenError} */
  async create(caller: Caller, input: NewUpstream): Promise<Upstream> {
    const { secret, ...settings } = input;
    const upstream = this.newUpstream(caller, settings);
    requireAdmin(caller.principal, upstream);
    checkAuth(upstream, secret);
    const sealed = { ...upstream, sealedSecret: await this.#seal(upstream, secret) };
    try {
      await this.#stores.table.write(this.createOps(caller, sealed));
    } catch (error) {
      if (error instanceof ConditionFailedError)
        throw new AlreadyExistsError("upstream", input.key);
      throw error;
    }
    this.#directory.forget(input.key);
    return sealed;
  }

  /**
   * An upstream that is not stored yet, for {@link Upstreams.createOps}; of a preset where nothing else is said.
   *
   * @throws {InvalidInputError} | {@link ForbiddenError}
   */
  newUpstream(caller: Caller, input: Omit<NewUpstream, "secret">): Upstream {
    const principal = this.#access.requireScope(caller, "registries:write");
    const { key } = input;
    if (!SLUG_PATTERN.test(key)) {
      throw new InvalidInputError(
        `"${key.slice(0, 80)}" cannot be the key of an upstream: use 1 to 63 of a-z, 0-9, - and _, with dashes, or one or two underscores, between letters or digits.`,
        [{ at: "/key", problem: "not a key" }],
      );
    }
    if (!mayUseUpstream(principal, "registries:write", key)) {
      throw new ForbiddenError(`Your token does not cover an upstream named "${key}".`);
    }
    const preset = presetOf(key);
    const ecosystem = input.ecosystem ?? preset?.ecosystem;
    const url = input.url ?? (preset?.ecosystem === ecosystem ? preset?.url : undefined);
    if (ecosystem === undefined) throw missing("ecosystem");
    if (url === undefined) throw missing("url");
    const nowMs = this.#stores.now();
    const upstream: Upstream = {
      ...DEFAULT_UPSTREAM,
      auth: { kind: "none" },
      description: preset?.url === url ? preset.description : "",
      ...input,
      ecosystem,
      url,
      id: randomText(16),
      sealedSecret: "",
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
    };
    return this.#canonical(caller, upstream);
  }

  /** Stores it, with what is recorded of that; fails when the key is taken. */
  createOps(caller: Caller, upstream: Upstream): readonly WriteOp[] {
    return [
      createUpstreamOp(upstream),
      ...recordOps(caller, happening("upstream.create", upstream), "", upstream.createdAtMs),
    ];
  }

  /** @throws {NotFoundError} also when the caller may not know of it. */
  async get(caller: Caller, key: string): Promise<Upstream> {
    return this.#open(caller, key, "registries:read");
  }

  /** Those that the caller may know of, by key; a page may be short. */
  async list(caller: Caller, options: PageOptions): Promise<PageOf<Upstream>> {
    const principal = this.#access.requireScope(caller, "registries:read");
    const page = mapPage(await this.#stores.table.query(listUpstreamsQuery(options)), toUpstream);
    const items = page.items.filter(({ key }) => mayUseUpstream(principal, "registries:read", key));
    return { ...page, items };
  }

  /**
   * @throws {InvalidInputError} also when the secret would go to another server, or be used in another way, and is not
   *   sent again: whoever may edit could otherwise have it sent to themselves.
   */
  async update(caller: Caller, key: string, edits: UpstreamEdits): Promise<Upstream> {
    await this.#open(caller, key, "registries:write");
    const { secret, ...settings } = edits;
    const after = await this.#structure.change(async (nodes) => {
      const before = await this.#read(key);
      const changed = this.#canonical(caller, {
        ...before,
        ...settings,
        updatedAtMs: Math.max(this.#stores.now(), before.updatedAtMs + 1),
      });
      const isMoved = movesSecret(before, changed);
      if (isMoved || changed.allowPrivate !== before.allowPrivate) {
        requireAdmin(caller.principal, changed);
      }
      const keeps = needsSecret(changed.auth) && !isMoved ? before.sealedSecret : "";
      const bare = { ...changed, sealedSecret: keeps };
      checkAuth(bare, secret);
      if (bare.auth.kind !== "none") await this.#requireNoPublicProxy(proxiesOf(nodes, key), key);
      const result =
        secret === undefined ? bare : { ...bare, sealedSecret: await this.#seal(bare, secret) };
      const what = happening("upstream.update", result, Object.keys(edits).join(", "));
      const ops = [
        replaceUpstreamOp(result, before.updatedAtMs),
        ...recordOps(caller, what, "", result.updatedAtMs),
      ];
      return { nodes, ops, result };
    });
    this.#directory.forget(key);
    return after;
  }

  /** @throws {ConflictError} while a proxy caches it. */
  async remove(caller: Caller, key: string): Promise<void> {
    await this.#open(caller, key, "registries:delete");
    await this.#structure.change(async (nodes) => {
      const upstream = await this.#read(key);
      const users = proxiesOf(nodes, key);
      if (users.length > 0) {
        throw new ConflictError(
          `The upstream "${key}" is cached by ${users.map((slug) => `"${slug}"`).join(", ")}. Delete every proxy of it first.`,
        );
      }
      const what = happening("upstream.delete", upstream);
      const ops = [deleteUpstreamOp(upstream), ...recordOps(caller, what, "", this.#stores.now())];
      return { nodes, ops, result: undefined };
    });
    this.#directory.forget(key);
  }

  /** URL and patterns in the forms that requests and names are compared with. @throws {InvalidInputError} */
  #canonical(caller: Caller, upstream: Upstream): Upstream {
    const { canonicalPattern = (pattern: string) => pattern } =
      this.#ecosystems[upstream.ecosystem];
    return {
      ...upstream,
      url: parseUpstreamUrl(upstream.url, upstream.allowPrivate, caller.baseUrl),
      include: upstream.include.map(canonicalPattern),
      exclude: upstream.exclude.map(canonicalPattern),
    };
  }

  /** Reads past the directory's memory: changes start from what is stored. */
  async #read(key: string): Promise<Upstream> {
    const item = await this.#stores.table.get(upstreamKey(key));
    if (item === undefined) throw new NotFoundError("upstream", key);
    return toUpstream(item);
  }

  async #open(
    caller: Caller,
    key: string,
    scope: "registries:read" | "registries:write" | "registries:delete",
  ): Promise<Upstream> {
    const { principal } = caller;
    // A token that may do nothing with any upstream learns so before it learns what there is.
    this.#access.requireScope(caller, scope);
    if (key.length > 63 || !mayUseUpstream(principal, scope, key)) {
      throw new NotFoundError("upstream", key);
    }
    return this.#read(key);
  }

  async #seal(upstream: Upstream, secret: string | undefined): Promise<string> {
    return secret === undefined ? "" : sealText(this.#stores.keys, secretPlace(upstream), secret);
  }

  async #requireNoPublicProxy(slugs: readonly string[], key: string): Promise<void> {
    for (const slug of slugs) {
      const item = await this.#stores.table.get(registryKey(slug));
      if ([item].filter(isDefined).map(toRegistry)[0]?.visibility !== "public") continue;
      throw new ConflictError(
        `Proxy "${slug}" of the upstream "${key}" is public: with authentication, everybody would read what only we may. Make it private first.`,
      );
    }
  }
}

/** Whether the secret would be sent elsewhere, or in another way, than it was given for. */
function movesSecret(before: Upstream, after: Upstream): boolean {
  return (
    new URL(before.url).origin !== new URL(after.url).origin ||
    JSON.stringify(before.auth) !== JSON.stringify(after.auth)
  );
}

/**
 * What lets a registry's editors reach further than their token does: networks behind this deployment, and what its own
 * identity at AWS may read.
 */
function requireAdmin(principal: Principal, { allowPrivate, auth }: Upstream): void {
  const what = allowPrivate ? "allowPrivate" : auth.kind === "aws" ? 'auth "aws"' : "";
  if (what === "" || (principal.kind === "token" && hasScope(principal.scopes, "admin"))) return;
  throw new ForbiddenError(
    `An upstream with ${what} reaches what only this deployment may reach, so that setting it up needs the scope "admin". Ask an administrator.`,
  );
}

const missing = (field: "ecosystem" | "url"): InvalidInputError =>
  new InvalidInputError(
    `The ${field} of the upstream is missing: only the keys of presets are known without.`,
    [{ at: `/${field}`, problem: "missing" }],
  );

/** The host of the URL alone, and names of what changed: a path may tell who we are. */
const happening = (
  action: "upstream.create" | "upstream.update" | "upstream.delete",
  { key, url }: Upstream,
  changed = "",
) => ({
  action,
  registry: "",
  package: "",
  version: "",
  detail: `${key} ${new URL(url).host}${changed === "" ? "" : `: ${changed}`}`,
});
