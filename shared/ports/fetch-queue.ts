/** A file of an upstream that is to be fetched by somebody who has more time than a request. */
export interface FetchOrder {
  /** Slug of the proxy registry that keeps the file. */
  readonly registry: string;
  /** Its id, because another registry may have the slug by then. */
  readonly registryId: string;
  readonly packageName: string;
  /** Empty where its ecosystem's files belong to no version (blobs of images). */
  readonly version: string;
  readonly path: string;
}

/** Leads to who fetches. */
export interface FetchQueue {
  /** @throws when the order was not taken. */
  send(order: FetchOrder): Promise<void>;
}
