import { createHash } from "node:crypto";
import { expect } from "vitest";
import type { TestRegistry } from "../../support/services.ts";

export const IMAGE = "application/vnd.oci.image.manifest.v1+json";
export const INDEX = "application/vnd.oci.image.index.v1+json";
const CONFIG = "application/vnd.oci.image.config.v1+json";
const LAYER = "application/vnd.oci.image.layer.v1.tar";

export type Bytes = Uint8Array<ArrayBuffer>;
type Send = Parameters<TestRegistry["request"]>[1];

export const bytesOf = (text: string): Bytes => new TextEncoder().encode(text);

export const digestOf = (bytes: Uint8Array | string, algorithm = "sha256"): string =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;

export interface Pushed {
  readonly bytes: Bytes;
  readonly digest: string;
  readonly mediaType: string;
}

/** What a manifest says of other content. */
export const descriptor = (pushed: Pushed, more: object = {}): object => ({
  mediaType: pushed.mediaType,
  digest: pushed.digest,
  size: pushed.bytes.length,
  ...more,
});

/** One repository of a test registry, spoken to as clients do. */
export class Repository {
  readonly registry: Pick<TestRegistry, "request">;
  readonly name: string;

  constructor(registry: Pick<TestRegistry, "request">, name: string) {
    this.registry = registry;
    this.name = name;
  }

  async send(path: string, init: Send = {}): Promise<Response> {
    return this.registry.request(`/v2/${this.name}/${path}`, init);
  }

  /** Begins an upload and gives its Location. */
  async begin(query = ""): Promise<string> {
    const response = await this.send(`blobs/uploads/${query}`, { method: "POST" });
    expect(response.status).toBe(202);
    return response.headers.get("location") ?? "";
  }

  /** POST and PUT, as docker 29 does. */
  async pushBlob(
    content: Bytes | string,
    mediaType = LAYER,
    algorithm = "sha256",
  ): Promise<Pushed> {
    const bytes = typeof content === "string" ? bytesOf(content) : content;
    const digest = digestOf(bytes, algorithm);
    const location = await this.begin();
    const response = await this.at(location, "PUT", { digest }, bytes);
    expect(response.status).toBe(201);
    return { bytes, digest, mediaType };
  }

  /** A request to an upload's Location, with more parameters. */
  async at(
    location: string,
    method: string,
    parameters: Readonly<Record<string, string>> = {},
    body?: Bytes,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const url = new URL(location, "http://registry.test");
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return this.registry.request(url.pathname + url.search, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-length": String(body.length) }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
  }

  async putManifest(
    reference: string,
    content: Bytes | string | object,
    mediaType: string = IMAGE,
  ): Promise<Response> {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    const body = content instanceof Uint8Array ? content : bytesOf(text);
    return this.send(`manifests/${reference}`, {
      method: "PUT",
      headers: { "content-type": mediaType },
      body,
    });
  }

  /** An image of these layers, pushed by tag, or by digest where there is none. */
  async pushImage(
    tag?: string,
    layers: readonly string[] = ["a layer"],
    more: object = {},
  ): Promise<Pushed> {
    const config = await this.pushBlob(`{"layers":${JSON.stringify(layers)}}`, CONFIG);
    const pushed: Pushed[] = [];
    for (const layer of layers) pushed.push(await this.pushBlob(layer));
    return this.pushManifest(tag, IMAGE, {
      config: descriptor(config),
      layers: pushed.map((layer) => descriptor(layer)),
      ...more,
    });
  }

  async pushIndex(
    tag: string | undefined,
    manifests: readonly Pushed[],
    more: object = {},
  ): Promise<Pushed> {
    const children = manifests.map((child) => descriptor(child));
    return this.pushManifest(tag, INDEX, { manifests: children, ...more });
  }

  async pushManifest(tag: string | undefined, mediaType: string, content: object): Promise<Pushed> {
    const bytes = bytesOf(JSON.stringify({ schemaVersion: 2, mediaType, ...content }));
    const digest = digestOf(bytes);
    const response = await this.putManifest(tag ?? digest, bytes, mediaType);
    expect(await response.text()).toBe("");
    expect(response.status).toBe(201);
    return { bytes, digest, mediaType };
  }

  async status(path: string, method = "GET"): Promise<number> {
    const response = await this.send(path, { method });
    await response.body?.cancel();
    return response.status;
  }

  async tags(): Promise<unknown> {
    const response = await this.send("tags/list");
    const body: { tags: unknown } = JSON.parse(await response.text());
    return body.tags;
  }
}

/** The first error of an answer in the specification's shape. */
export async function errorOf(response: Response): Promise<{ code: string; message: string }> {
  const body: { errors: { code: string; message: string }[] } = JSON.parse(await response.text());
  const [first] = body.errors;
  if (first === undefined) throw new Error("an answer without errors");
  return first;
}
