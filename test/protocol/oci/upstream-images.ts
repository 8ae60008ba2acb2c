import type { IncomingMessage, ServerResponse } from "node:http";
import {
  answer,
  type Behaviour,
  type MisbehavingUpstream,
} from "../../support/misbehaving-upstream.ts";
import { bytesOf, type Bytes, digestOf, IMAGE, INDEX } from "./builders.ts";

const CONFIG = "application/vnd.oci.image.config.v1+json";
const LAYER = "application/vnd.oci.image.layer.v1.tar";

/** An image or index as an upstream has it. */
export interface UpstreamImage {
  readonly digest: string;
  readonly manifest: Bytes;
  readonly mediaType: string;
  /** By digest: its config and layers; for an index those of its images. */
  readonly blobs: ReadonlyMap<string, Bytes>;
  /** Of an index. */
  readonly images: readonly UpstreamImage[];
}

export interface ImageSpec {
  readonly layers?: readonly (Bytes | string)[];
  /** What its config says. */
  readonly created?: string;
  readonly architecture?: string;
  /** Further fields of its manifest. */
  readonly more?: object;
}

export function upstreamImage(spec: ImageSpec = {}): UpstreamImage {
  const { layers = ["a layer"], architecture = "amd64", more = {} } = spec;
  const blobs = new Map<string, Bytes>();
  const add = (content: Bytes | string, mediaType: string): object => {
    const bytes = typeof content === "string" ? bytesOf(content) : content;
    blobs.set(digestOf(bytes), bytes);
    return { mediaType, digest: digestOf(bytes), size: bytes.length };
  };
  const created = spec.created ?? "2020-02-02T00:00:00Z";
  const config = add(JSON.stringify({ created, architecture, os: "linux" }), CONFIG);
  const parts = layers.map((layer) => add(layer, LAYER));
  const content = { schemaVersion: 2, mediaType: IMAGE, config, layers: parts, ...more };
  return manifestOf(IMAGE, content, blobs, []);
}

export function upstreamIndex(images: readonly UpstreamImage[]): UpstreamImage {
  const manifests = images.map(({ digest, manifest, mediaType }, position) => ({
    mediaType,
    digest,
    size: manifest.length,
    platform: { os: "linux", architecture: position === 0 ? "amd64" : `arm${position}` },
  }));
  const blobs = new Map(images.flatMap((image) => [...image.blobs]));
  return manifestOf(INDEX, { schemaVersion: 2, mediaType: INDEX, manifests }, blobs, images);
}

function manifestOf(
  mediaType: string,
  content: object,
  blobs: ReadonlyMap<string, Bytes>,
  images: readonly UpstreamImage[],
): UpstreamImage {
  const manifest = bytesOf(JSON.stringify(content));
  return { digest: digestOf(manifest), manifest, mediaType, blobs, images };
}

/** How a manifest is answered. */
export const manifestAnswer = ({ manifest, mediaType, digest }: UpstreamImage): Behaviour =>
  answer(manifest, { headers: { "content-type": mediaType, "docker-content-digest": digest } });

/** Has an upstream serve an image under a tag, by digest, and its blobs; `guard` stands before every path. */
export function serveImage(
  upstream: MisbehavingUpstream,
  repository: string,
  tag: string,
  image: UpstreamImage,
  guard: (behaviour: Behaviour) => Behaviour = (behaviour) => behaviour,
): void {
  const base = `/v2/${repository}`;
  for (const one of [image, ...image.images]) {
    upstream.on(`${base}/manifests/${one.digest}`, guard(manifestAnswer(one)));
  }
  upstream.on(`${base}/manifests/${tag}`, guard(manifestAnswer(image)));
  for (const [digest, bytes] of image.blobs) {
    upstream.on(`${base}/blobs/${digest}`, guard(answer(bytes)));
  }
}

/** Docker's token flow, as Docker Hub has it. */
export interface TokenServer {
  /** Stands before what wants a token. */
  readonly guard: (behaviour: Behaviour) => Behaviour;
  /** What was asked of it: scopes and `Authorization`. */
  readonly asked: readonly { readonly scope: string; readonly authorization: string }[];
  /** No token that was given until now is good any more. */
  revoke(): void;
}

/** `/token` of an upstream gives tokens for what they are asked for; `password` are name and password that it wants. */
export function serveTokens(
  upstream: MisbehavingUpstream,
  { password, seconds = 300 }: { readonly password?: string; readonly seconds?: number } = {},
): TokenServer {
  const good = new Set<string>();
  const asked: { scope: string; authorization: string }[] = [];
  upstream.on("/token", (request, response) => {
    const { searchParams } = new URL(request.url ?? "", upstream.url);
    const { authorization = "" } = request.headers;
    asked.push({ scope: searchParams.get("scope") ?? "", authorization });
    if (
      password !== undefined &&
      authorization !== `Basic ${Buffer.from(password).toString("base64")}`
    ) {
      response.writeHead(401).end("{}");
      return;
    }
    const token = `token-${asked.length}`;
    good.add(token);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ token, access_token: token, expires_in: seconds }));
  });
  const refuse = (request: IncomingMessage, response: ServerResponse): void => {
    const [, repository = ""] =
      /^\/v2\/(.+)\/(?:manifests|blobs|tags|referrers)\//.exec(request.url ?? "") ?? [];
    const realm = `Bearer realm="${upstream.url}/token",service="hub",scope="repository:${repository}:pull"`;
    response
      .writeHead(401, { "www-authenticate": realm })
      .end('{"errors":[{"code":"UNAUTHORIZED"}]}');
  };
  return {
    guard: (behaviour) => (request, response) => {
      const [, token = ""] = /^Bearer (.+)$/.exec(request.headers.authorization ?? "") ?? [];
      return good.has(token) ? behaviour(request, response) : refuse(request, response);
    },
    asked,
    revoke: () => good.clear(),
  };
}
