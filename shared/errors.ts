/** Everything that a caller can be told. Each protocol's `errors.ts` answers every code, or does not compile. */
export type RegistryErrorCode =
  | "unauthenticated"
  | "forbidden"
  | "not-found"
  | "already-exists"
  | "version-exists"
  | "conflict"
  | "invalid-input"
  | "digest-mismatch"
  | "too-large"
  | "confirmation-required"
  | "precondition-failed"
  | "unsupported"
  | "rate-limited"
  | "unavailable"
  | "upstream-failed";

/** A failure with words for the caller: what was wrong, with what, and what to do. Never holds a secret. */
export abstract class RegistryError extends Error {
  abstract readonly code: RegistryErrorCode;
}

/** No credentials, or wrong ones, where right ones would help. Answered with a challenge. */
export class UnauthenticatedError extends RegistryError {
  readonly code = "unauthenticated";
  constructor(message = "Authentication is required: send an Entrepot token.") {
    super(message);
  }
}

/** The caller is known and may see the thing, but not do this to it. */
export class ForbiddenError extends RegistryError {
  readonly code = "forbidden";
}

export type Thing =
  | "registry"
  | "upstream"
  | "package"
  | "version"
  | "file"
  | "tag"
  | "token"
  | "upload"
  | "login"
  | "page"
  | "webhook"
  | "delivery";

/** The thing does not exist, or the caller may not know that it does. */
export class NotFoundError extends RegistryError {
  readonly code = "not-found";
  readonly thing: Thing;
  readonly identifier: string;
  constructor(thing: Thing, identifier: string) {
    super(`There is no ${thing} "${identifier}".`);
    this.thing = thing;
    this.identifier = identifier;
  }
}

export class AlreadyExistsError extends RegistryError {
  readonly code = "already-exists";
  constructor(thing: Thing, identifier: string) {
    super(`The ${thing} "${identifier}" exists already.`);
  }
}

/** Versions, and the files of a version, never change. Each ecosystem says this in its clients' own words. */
export class VersionExistsError extends RegistryError {
  readonly code = "version-exists";
  readonly packageName: string;
  readonly version: string;
  constructor(packageName: string, version: string, path?: string) {
    super(
      path === undefined
        ? `Version ${version} of ${packageName} was published before; versions cannot be changed. Publish a new version.`
        : `${path} of ${packageName} ${version} was published before; files cannot be changed. Publish a new version.`,
    );
    this.packageName = packageName;
    this.version = version;
  }
}

/** The change lost against another, or does not fit the state of the thing. Trying again may succeed. */
export class ConflictError extends RegistryError {
  readonly code = "conflict";
}

export interface InputIssue {
  /** Where in the input, as a JSON pointer or the name of a header or path segment. */
  readonly at: string;
  readonly problem: string;
}

export class InvalidInputError extends RegistryError {
  readonly code = "invalid-input";
  readonly issues: readonly InputIssue[];
  constructor(message: string, issues: readonly InputIssue[] = []) {
    super(message);
    this.issues = issues;
  }
}

/** The bytes are not what a checksum said. */
export class ChecksumMismatchError extends RegistryError {
  readonly code = "digest-mismatch";
  /** It is their number that is wrong. */
  readonly isSize: boolean;
  constructor(message: string, isSize = false) {
    super(message);
    this.isSize = isSize;
  }
}

export class TooLargeError extends RegistryError {
  readonly code = "too-large";
  readonly limitBytes: number;
  constructor(what: string, limitBytes: number, remedy?: string) {
    super(
      `${what} is larger than ${limitBytes} bytes, the limit here.${remedy === undefined ? "" : ` ${remedy}`}`,
    );
    this.limitBytes = limitBytes;
  }
}

/** Something that destroys data was asked for without the typed confirmation. */
export class ConfirmationRequiredError extends RegistryError {
  readonly code = "confirmation-required";
}

export class PreconditionFailedError extends RegistryError {
  readonly code = "precondition-failed";
}

/** A known request that this registry, by its kind or policy, does not serve. */
export class UnsupportedError extends RegistryError {
  readonly code = "unsupported";
}

export class RateLimitedError extends RegistryError {
  readonly code = "rate-limited";
  readonly retryAfterSeconds: number;
  constructor(message: string, retryAfterSeconds: number) {
    super(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** A store cannot answer now; nothing was half done. */
export class UnavailableError extends RegistryError {
  readonly code = "unavailable";
  readonly retryAfterSeconds: number;
  constructor(message: string, retryAfterSeconds = 1) {
    super(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The registry behind a proxy gave no usable answer, and there is no copy of what was asked for. */
export class UpstreamFailedError extends RegistryError {
  readonly code = "upstream-failed";
  /** Seconds, as the upstream said. */
  readonly retryAfterSeconds: number | undefined;
  constructor(message: string, retryAfterSeconds?: number) {
    super(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
