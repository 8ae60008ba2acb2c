import type { EcosystemName } from "../domain/registry.ts";
import type { ListingFormat } from "./views/listing.ts";
import type { AwsRegistryTokens } from "../ports/aws-registry-tokens.ts";
import { Access, type RegistryGrant } from "./access.ts";
import { AuditLog } from "./audit.ts";
import { BlobLinks } from "./blob-links.ts";
import { BrotliMaker } from "./brotli-maker.ts";
import { Catalogue } from "./catalogue.ts";
import { Collector } from "./collector.ts";
import { Deprecations } from "./deprecations.ts";
import { Downloads } from "./downloads.ts";
import type { Ecosystem, UploadedFile } from "./ecosystem.ts";
import { Events } from "./events.ts";
import { FileEdits } from "./file-edits.ts";
import { IdentityExchange, type RoleAccess } from "./identity-exchange.ts";
import { Images } from "./images/images.ts";
import { Lifecycle } from "./lifecycle.ts";
import { Logins } from "./logins.ts";
import { PackageChanges } from "./package-changes.ts";
import { PackageListing } from "./package-listing.ts";
import { Publisher } from "./publish.ts";
import { RateLimits } from "./rate-limits.ts";
import { Reclaimer } from "./reclaimer.ts";
import { ReleaseFiles } from "./release-files.ts";
import { Registries } from "./registries.ts";
import { RegistryComposer } from "./registry-composer.ts";
import { RegistryDirectory } from "./registry-directory.ts";
import { Standings } from "./standings.ts";
import { StoredCatalogue } from "./stored-catalogue.ts";
import { RegistryStructure } from "./registry-structure.ts";
import type { Ecosystems, Stores } from "./stores.ts";
import { RuleReports } from "./rule-report.ts";
import { Tags } from "./tags.ts";
import { Tokens } from "./tokens.ts";
import { CachePurge } from "./upstreams/cache-purge.ts";
import { PackagePurger } from "./upstreams/package-purger.ts";
import { UpstreamClient } from "./upstreams/upstream-client.ts";
import { UpstreamCredentials } from "./upstreams/upstream-credentials.ts";
import { UpstreamDirectory } from "./upstreams/upstream-directory.ts";
import { UpstreamDocuments } from "./upstreams/upstream-documents.ts";
import { OrderedFetches } from "./upstreams/ordered-fetches.ts";
import type { FetchLimits } from "./upstreams/upstream-fetches.ts";
import type { HearRead } from "./upstreams/upstream-read.ts";
import { UpstreamFiles } from "./upstreams/upstream-files.ts";
import { Leaves } from "./views/routes.ts";
import { Prefetch } from "./views/prefetch.ts";
import { ViewCatalogue } from "./views/view-catalogue.ts";
import { Views } from "./views/views.ts";
import { UploadSessions } from "./upload-sessions.ts";
import { Uploads } from "./uploads.ts";
import { Upstreams } from "./upstreams/upstreams.ts";
import { WebhookDeliverer } from "./webhooks/deliverer.ts";
import { WebhookFanOut } from "./webhooks/fan-out.ts";
import type { WebhookAttempt } from "./webhooks/send.ts";
import { WebhookAccess } from "./webhooks/webhook-access.ts";
import { WebhookDeliveries } from "./webhooks/webhook-deliveries.ts";
import { Webhooks } from "./webhooks/webhooks.ts";

/** How packages of other registries are read, in the ecosystems that have merged documents. */
export type ListingFormats = Readonly<Partial<Record<EcosystemName, ListingFormat>>>;

export interface ServiceOptions {
  /** Those of the ecosystems that this process serves. */
  readonly listings?: ListingFormats;
  /** A text of the operator's own choice that counts as an admin token. */
  readonly adminToken?: string;
  /** Per token, or per address without one; 0: unlimited. */
  readonly requestsPerMinute: number;
  /** How GET of a file is answered: by us, or by a redirect to blob storage. */
  readonly downloads: "inline" | "redirect";
  /** Largest body that can be sent from here; larger documents leave by redirect. Absent: any. */
  readonly maxAnswerBytes?: number;
  /** How long work that a request starts may take before it is left to the next one. Absent: as long as it takes. */
  readonly requestBudgetMs?: number;
  /** Largest file that an upload in parts may become: a function reads it back within its time. Absent: any. */
  readonly maxUploadBytes?: number;
  /**
   * Largest body that an upload may send here, where nothing in front takes larger ones; clients in parts are told.
   * Absent: any, or the edge in front takes them.
   */
  readonly maxBodyBytes?: number;
  /** Origin for links in answers, without a slash at the end. Absent: the one each client used. */
  readonly baseUrl?: string;
  /** Which of the deployment's keys signs upload tickets: 1, or more after the key was changed. Default: 1. */
  readonly ticketGeneration?: number;
  /** Whether this process may remove bytes from blob storage. Default: yes. */
  readonly mayRemoveBytes?: boolean;
  /** Believe `X-Forwarded-For` and `X-Forwarded-Proto`: only behind a proxy that sets them. */
  readonly trustProxy: boolean;
  /** Tokens of AWS' own package registries, for upstreams there. Absent: upstreams with such tokens fail. */
  readonly awsRegistryTokens?: AwsRegistryTokens;
  /** IAM roles that may exchange their identity for a token. Absent: none may. */
  readonly roleAccess?: RoleAccess;
  /**
   * Webhooks may lead to loopback and private networks, and use plain http. Default false: whoever may create
   * a webhook could otherwise reach what only this machine should.
   */
  readonly webhooksPrivate?: boolean;
  /** How long files of upstreams may take to fetch here. Absent: as long as they take. */
  readonly fetchLimits?: FetchLimits;
  /** Hears of every read through a proxy, for metrics. */
  readonly upstreamRead?: HearRead;
  /** Hears of every attempt to deliver, for metrics. */
  readonly webhookAttempted?: (attempt: WebhookAttempt) => void;
}

/** Everything that a protocol needs; passed as one object. */
export interface Services {
  readonly stores: Stores;
  readonly options: ServiceOptions;
  readonly access: Access;
  readonly auditLog: AuditLog;
  readonly blobLinks: BlobLinks;
  readonly cachePurge: CachePurge;
  readonly catalogue: Catalogue;
  readonly changes: PackageChanges;
  readonly collector: Collector;
  readonly deprecations: Deprecations;
  readonly downloads: Downloads;
  readonly ecosystems: Ecosystems;
  readonly events: Events;
  readonly fileEdits: FileEdits;
  readonly identityExchange: IdentityExchange;
  readonly images: Images;
  readonly lifecycle: Lifecycle;
  readonly logins: Logins;
  readonly orderedFetches: OrderedFetches;
  readonly packageListing: PackageListing;
  readonly prefetch: Prefetch;
  readonly publisher: Publisher;
  readonly rateLimits: RateLimits;
  readonly reclaimer: Reclaimer;
  readonly registries: Registries;
  readonly releaseFiles: ReleaseFiles;
  readonly ruleReports: RuleReports;
  readonly standings: Standings;
  readonly tags: Tags;
  readonly tokens: Tokens;
  readonly uploads: Uploads;
  readonly uploadSessions: UploadSessions;
  readonly upstreamClient: UpstreamClient;
  readonly upstreamDocuments: UpstreamDocuments;
  readonly upstreams: Upstreams;
  readonly views: Views;
  readonly webhookDeliverer: WebhookDeliverer;
  readonly webhookDeliveries: WebhookDeliveries;
  readonly webhooks: Webhooks;
}

/** An ecosystem whose sweep needs services gets them when they exist. */
export type EcosystemFactory = (services: () => Services) => Ecosystem;
export type EcosystemFactories = { readonly [Name in keyof Ecosystems]: EcosystemFactory };

/**
 * Publishes, in the way of its ecosystem, what came by an upload ticket and is in blob storage already. May be
 * repeated. @throws {RegistryError}
 */
export type UploadIntake = (
  services: Services,
  grant: RegistryGrant,
  upload: UploadedFile,
) => Promise<void>;

/** Wires the services over the stores of a composition root. */
export function createServices(
  stores: Stores,
  factories: EcosystemFactories,
  options: ServiceOptions,
): Services {
  const later = (): Services => services;
  const create = (name: EcosystemName): Ecosystem => {
    const listings = options.listings?.[name];
    const ecosystem = factories[name](later);
    return listings === undefined ? ecosystem : { ...ecosystem, listings };
  };
  const ecosystems: Ecosystems = {
    generic: create("generic"),
    maven: create("maven"),
    npm: create("npm"),
    oci: create("oci"),
    pypi: create("pypi"),
  };
  const directory = new RegistryDirectory(stores.table);
  const access = new Access(directory);
  const changes = new PackageChanges(stores, ecosystems);
  const collector = new Collector(stores, { mayRemove: options.mayRemoveBytes ?? true });
  const blobLinks = new BlobLinks(stores, collector);
  const lifecycle = new Lifecycle(stores, ecosystems, changes);
  const upstreamDirectory = new UpstreamDirectory(stores.table);
  const upstreamClient = new UpstreamClient(
    stores,
    new UpstreamCredentials(stores, options.awsRegistryTokens),
  );
  const hearRead = options.upstreamRead ?? (() => {});
  const upstreamDocuments = new UpstreamDocuments(stores, upstreamClient, hearRead);
  const leaves = new Leaves(directory, upstreamDirectory);
  const views = new Views(
    stores,
    ecosystems,
    leaves,
    upstreamDocuments,
    new UpstreamFiles(stores, upstreamClient, changes, collector, options),
  );
  const stored = new StoredCatalogue(stores, ecosystems);
  const catalogue = new Catalogue(stored, new ViewCatalogue(ecosystems, leaves, views, stored));
  const publisher = new Publisher(stores, ecosystems, changes, collector);
  const tags = new Tags(stores, ecosystems, changes);
  const tokens = new Tokens(stores, access, options.adminToken);
  const structure = new RegistryStructure(stores.table);
  const upstreams = new Upstreams(stores, access, structure, upstreamDirectory, ecosystems);
  const composer = new RegistryComposer(stores, access, upstreams, ecosystems);
  const webhookAccess = new WebhookAccess(stores, access, directory);
  const allowPrivate = options.webhooksPrivate ?? false;
  const services: Services = {
    stores,
    options,
    access,
    auditLog: new AuditLog(stores.table),
    blobLinks,
    cachePurge: new CachePurge(
      stores,
      ecosystems,
      upstreamDirectory,
      new PackagePurger(stores, ecosystems, changes, blobLinks),
      options.requestBudgetMs,
    ),
    catalogue,
    changes,
    collector,
    deprecations: new Deprecations(stores, ecosystems, changes),
    downloads: new Downloads(stores),
    ecosystems,
    identityExchange: new IdentityExchange(stores, tokens, options),
    events: new Events(stores, [new WebhookFanOut(stores), new BrotliMaker(stores, ecosystems)]),
    fileEdits: new FileEdits(stores, ecosystems, changes, lifecycle),
    images: new Images(stores, blobLinks),
    lifecycle,
    logins: new Logins(stores, tokens),
    orderedFetches: new OrderedFetches(stores, directory, views),
    packageListing: new PackageListing(stores),
    prefetch: new Prefetch(stores, ecosystems, catalogue, views, options.requestBudgetMs),
    publisher,
    rateLimits: new RateLimits(options.requestsPerMinute),
    reclaimer: new Reclaimer(stores, blobLinks),
    registries: new Registries(stores, access, directory, structure, composer),
    releaseFiles: new ReleaseFiles(stores, changes, collector, publisher),
    ruleReports: new RuleReports(stores, ecosystems, leaves),
    standings: new Standings(stores, ecosystems, changes),
    tags,
    tokens,
    uploads: new Uploads(
      stores,
      ecosystems,
      options.maxUploadBytes === undefined ? {} : { maxBytes: options.maxUploadBytes },
    ),
    uploadSessions: new UploadSessions(stores, blobLinks),
    upstreamClient,
    upstreamDocuments,
    upstreams,
    views,
    webhookDeliverer: new WebhookDeliverer(stores, {
      allowPrivate,
      baseUrl: options.baseUrl ?? "",
      attempted: options.webhookAttempted ?? (() => {}),
    }),
    webhookDeliveries: new WebhookDeliveries(stores, webhookAccess, options.baseUrl ?? ""),
    webhooks: new Webhooks(stores, webhookAccess, allowPrivate),
  };
  return services;
}
