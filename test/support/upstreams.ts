/** A registry that takes requests with the rights of an administrator. */
interface Managed {
  request(path: string, init: RequestInit): Promise<Response>;
}

interface NewProxy {
  readonly slug: string;
  readonly ecosystem: string;
  /** Of the upstream, which may be on loopback. */
  readonly url: string;
  /** Further settings of the upstream. */
  readonly upstream?: Readonly<Record<string, unknown>>;
  /** Further settings of the registry. */
  readonly registry?: Readonly<Record<string, unknown>>;
}

/** Creates an upstream and a proxy registry of the same name, by the API. */
export async function createProxy(
  test: Managed,
  { slug, ecosystem, url, upstream = {}, registry = {} }: NewProxy,
): Promise<void> {
  await post(test, "/upstreams", { key: slug, ecosystem, url, allowPrivate: true, ...upstream });
  await post(test, "/registries", { slug, ecosystem, kind: "proxy", upstream: slug, ...registry });
}

/** Creates a composite registry, by the API. */
export async function createComposite(
  test: Managed,
  composite: {
    readonly slug: string;
    readonly ecosystem: string;
    readonly upstreams: readonly string[];
  } & Readonly<Record<string, unknown>>,
): Promise<void> {
  await post(test, "/registries", { kind: "composite", ...composite });
}

/** Changes what an upstream is like. */
export async function changeUpstream(
  test: Managed,
  key: string,
  edits: Readonly<Record<string, unknown>>,
): Promise<void> {
  await send(test, "PATCH", `/upstreams/${key}`, edits);
}

/** Changes a registry. */
export async function changeRegistry(
  test: Managed,
  slug: string,
  edits: Readonly<Record<string, unknown>>,
): Promise<void> {
  await send(test, "PATCH", `/registries/${slug}`, edits);
}

const post = (test: Managed, path: string, body: unknown): Promise<void> =>
  send(test, "POST", path, body);

async function send(test: Managed, method: string, path: string, body: unknown): Promise<void> {
  const response = await test.request(`/api/v1${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
}
