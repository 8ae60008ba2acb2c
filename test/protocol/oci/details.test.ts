import { createHash } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { problem } from "../../../functions/api/schema/common.ts";
import { chartView, contentsView, imageView } from "../../../functions/api/schema/images.ts";
import { segmentsOf } from "../../../shared/services/images/file-tree.ts";
import { ReadBudget, type ReadLimits } from "../../../shared/services/images/read-budget.ts";
import { readTar } from "../../../shared/services/images/read-tar.ts";
import { referrerKind } from "../../../shared/services/images/referrers.ts";
import { type ApiClient, openApi } from "../api/client.ts";
import { type Bytes, bytesOf, descriptor, digestOf, IMAGE, Repository } from "./builders.ts";
import { pushLayers, tar } from "./layers.ts";

let api: ApiClient;
let repository: Repository;
beforeEach(async () => {
  api = await openApi();
  await api.registry.createRegistry({ slug: "images", ecosystem: "oci" });
  repository = new Repository(api.registry, "images/team/app");
});
afterEach(async () => api.close());

const gzip = (bytes: Uint8Array): Bytes => Uint8Array.from(gzipSync(bytes));
const pathOf = (digest: string): string =>
  `/registries/images/packages/team%2Fapp/versions/${encodeURIComponent(digest)}`;

/** The body of an answer that must have this status. */
async function get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const answer = await api.call("GET", path);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return schema.parse(answer.body);
}

/** What a refusal says. */
async function refusal(path: string, status: number): Promise<string> {
  const answer = await api.call("GET", path);
  expect(answer.status, JSON.stringify(answer.body)).toBe(status);
  return problem.parse(answer.body).detail;
}
const details = async (digest: string) => get(`${pathOf(digest)}/image`, imageView);
const contents = async (digest: string, query = "") =>
  get(`${pathOf(digest)}/image/contents${query}`, contentsView);
const paths = (page: Awaited<ReturnType<typeof contents>>): readonly string[] =>
  page.items.map(({ path }) => path);

describe("An image", () => {
  test("shows its config, layers, sizes, digests, tags and how to pull it", async () => {
    const layer = gzip(await tar([["bin/sh", "#!"]]));
    const config = {
      os: "linux",
      architecture: "arm64",
      variant: "v8",
      created: "2026-01-01T00:00:00Z",
      author: "someone",
      config: {
        Entrypoint: ["/bin/sh"],
        Cmd: ["-c", "true"],
        Env: ["PATH=/bin"],
        Labels: { maintainer: "someone" },
        ExposedPorts: { "80/tcp": {} },
        User: "app",
      },
      history: [{ created_by: "ENV", empty_layer: true }, { created_by: "COPY bin" }],
    };
    const image = await pushLayers(repository, [layer], { tag: "v1", config });
    await repository.putManifest("v2", image.bytes);
    const shown = await details(image.digest);
    expect(shown).toMatchObject({
      kind: "image",
      visibility: "private",
      downloads: 0,
      manifestBytes: image.bytes.length,
      compressedBytes: layer.length + JSON.stringify(config).length,
      platforms: [{ os: "linux", architecture: "arm64", variant: "v8", digest: image.digest }],
      layers: [{ digest: digestOf(layer), sizeBytes: layer.length, createdBy: "COPY bin" }],
      config: {
        author: "someone",
        created: "2026-01-01T00:00:00Z",
        entrypoint: ["/bin/sh"],
        command: ["-c", "true"],
        env: ["PATH=/bin"],
        labels: { maintainer: "someone" },
        exposedPorts: ["80/tcp"],
        user: "app",
      },
      problems: [],
    });
    expect([...shown.tags].sort()).toEqual(["v1", "v2"]);
    for (const algorithm of ["md5", "sha1", "sha256", "sha512"]) {
      const digest = createHash(algorithm).update(image.bytes).digest("hex");
      expect(z.record(z.string(), z.string()).parse(shown.digests)[algorithm]).toBe(digest);
    }
    const commands = shown.install.map(({ command }) => command);
    expect(commands).toContain(`docker pull registry.test/images/team/app@${image.digest}`);
    expect(commands[0]).toBe(`docker pull registry.test/images/team/app:${shown.tags[0]}`);
  });

  test("of several platforms shows each, and what buildx attests beside them", async () => {
    const layer = gzip(await tar([["a", "a"]]));
    const amd = await pushLayers(repository, [layer]);
    const arm = await pushLayers(repository, [layer, layer], { config: { os: "linux" } });
    const attested = await pushLayers(repository, [bytesOf("{}")], {
      mediaType: "application/vnd.in-toto+json",
    });
    const index = await repository.pushManifest("v1", "application/vnd.oci.image.index.v1+json", {
      manifests: [
        descriptor(amd, { platform: { os: "linux", architecture: "amd64" } }),
        descriptor(arm, { platform: { os: "linux", architecture: "arm64", variant: "v8" } }),
        descriptor(attested, { platform: { os: "unknown", architecture: "unknown" } }),
      ],
    });
    const shown = await details(index.digest);
    expect(shown.kind).toBe("index");
    expect(shown.platforms).toMatchObject([
      { digest: amd.digest, architecture: "amd64" },
      { digest: arm.digest, architecture: "arm64", variant: "v8" },
    ]);
    expect(shown.platforms[0]?.compressedBytes).toBeGreaterThan(layer.length);
    expect(shown.referrers).toMatchObject([
      { kind: "attestation", digest: attested.digest, by: "index" },
    ]);
    const refused = await refusal(`${pathOf(index.digest)}/image/contents`, 400);
    expect(refused).toContain("one platform");
  });

  test("names what is about it by kind", async () => {
    const image = await pushLayers(repository, [gzip(await tar([["a", "a"]]))]);
    const subject = descriptor(image);
    const about = async (artifactType: string): Promise<string> =>
      (await repository.pushImage(undefined, [artifactType], { subject, artifactType })).digest;
    const sbom = await about("application/spdx+json");
    const signature = await about("application/vnd.dev.cosign.artifact.sig.v1+json");
    const other = await about("application/vnd.acme.notes");
    const old = await repository.pushImage(`${image.digest.replace(":", "-")}.att`, ["old"]);
    const { referrers } = await details(image.digest);
    const kinds = referrers.map(({ kind, digest, by }) => [digest, kind, by]);
    expect(kinds).toHaveLength(4);
    expect(kinds).toEqual(
      expect.arrayContaining([
        [sbom, "sbom", "subject"],
        [signature, "signature", "subject"],
        [other, "other", "subject"],
        [old.digest, "attestation", "tag"],
      ]),
    );
    expect((await details(sbom)).subject).toBe(image.digest);
    const bundle = "application/vnd.dev.sigstore.bundle.v0.3+json";
    const predicate = "dev.sigstore.bundle.predicateType";
    expect(referrerKind(bundle, { [predicate]: "https://slsa.dev/provenance/v1" })).toBe(
      "attestation",
    );
    expect(referrerKind(bundle, { "dev.sigstore.bundle.content": "message-signature" })).toBe(
      "signature",
    );
  });

  test("with a config that cannot be read is shown without", async () => {
    for (const config of ["not json", "[]", "[".repeat(500_000), '{"config": 7, "os": []}']) {
      const image = await pushLayers(repository, [gzip(await tar([["a", config.slice(0, 9)]]))], {
        config,
      });
      const shown = await details(image.digest);
      expect(shown.problems).toHaveLength(config.startsWith("{") ? 0 : 1);
      expect(shown.layers).toHaveLength(1);
    }
  });

  test("is shown to those who may read it only, and not when it is something else", async () => {
    const image = await pushLayers(repository, [gzip(await tar([["a", "a"]]))]);
    for (const path of ["image", "image/contents", "chart"]) {
      const url = `${pathOf(image.digest)}/${path}`;
      expect((await api.call("GET", url, { token: null })).status).toBe(401);
    }
    await refusal(`${pathOf(digestOf("nothing"))}/image`, 404);
    await refusal(`${pathOf("sha256:zz")}/image`, 400);
    await refusal(`${pathOf(image.digest)}/chart`, 400);
    await api.registry.createRegistry({ slug: "files", ecosystem: "generic" });
    await api.registry.request("/generic/files/tool/1.0/a.txt", { method: "PUT", body: "a" });
    await refusal("/registries/files/packages/tool/versions/1.0/image", 400);
  });
});

describe("The files of an image", () => {
  test("are those that its layers leave, whatever they are packed with", async () => {
    const image = await pushLayers(repository, [
      gzip(
        await tar([
          ["etc", "", { type: "directory" }],
          ["etc/passwd", "root"],
          ["etc/old", "old"],
          ["var/cache/a", "a"],
          ["var/cache/b", "b"],
          ["usr/lib/x", "x"],
        ]),
      ),
      Uint8Array.from(
        zstdCompressSync(
          await tar([
            ["./etc/.wh.old", ""],
            ["var/cache/new", "n"],
            ["var/cache/.wh..wh..opq", ""],
            ["usr/lib", "now a file"],
            ["/bin/sh", "", { type: "symlink", linkname: "../../busybox" }],
          ]),
        ),
      ),
      await tar([["etc/passwd", "root and more"]]),
    ]);
    const page = await contents(image.digest);
    expect(paths(page)).toEqual([
      "bin",
      "bin/sh",
      "etc",
      "etc/passwd",
      "usr",
      "usr/lib",
      "var",
      "var/cache",
      "var/cache/new",
    ]);
    expect(page).toMatchObject({ complete: true, problems: [], fileCount: 3, totalBytes: 24 });
    const [, sh, , passwd] = page.items;
    expect(sh).toMatchObject({ type: "symlink", target: "../../busybox", layer: 1 });
    expect(passwd).toMatchObject({ type: "file", sizeBytes: 13, layer: 2 });
    expect(await details(image.digest)).toMatchObject({ fileCount: 3, totalBytes: 24 });
  });

  test("come in pages, by prefix, and folder by folder", async () => {
    const names = ["a/1", "a/2", "a/b/3", "c/4"];
    const layer = await tar(names.map((name) => [name, name]));
    const { digest } = await pushLayers(repository, [layer]);
    expect(paths(await contents(digest, "?depth=1"))).toEqual(["a", "c"]);
    expect(paths(await contents(digest, "?prefix=a%2F&depth=1"))).toEqual(["a/1", "a/2", "a/b"]);
    const all: string[] = [];
    let cursor = "";
    do {
      const page = await contents(digest, `?limit=2&prefix=a${cursor}`);
      all.push(...paths(page));
      cursor = page.nextCursor === undefined ? "" : `&cursor=${page.nextCursor}`;
    } while (cursor !== "");
    expect(all).toEqual(["a", "a/1", "a/2", "a/b", "a/b/3"]);
    await refusal(`${pathOf(digest)}/image/contents?cursor=x`, 400);
    await refusal(`${pathOf(digest)}/image/contents?depth=0`, 400);
  });

  test("of a damaged layer are those before the damage, and the answer says so", async () => {
    const whole = await tar([
      ["first", "1"],
      ["second", "2".repeat(5000)],
    ]);
    const damaged: readonly Bytes[] = [
      gzip(whole).subarray(0, 60),
      whole.slice(0, 2000),
      bytesOf("this is no archive ".repeat(100)),
      Uint8Array.from([0x1f, 0x8b, 1, 2, 3, 4]),
      Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 9, 9, 9]),
      Uint8Array.from([1]),
    ];
    for (const layer of damaged) {
      const last = gzip(await tar([["last", "l"]]));
      const { digest } = await pushLayers(repository, [Uint8Array.from(layer), last]);
      const page = await contents(digest);
      expect(page.complete).toBe(false);
      expect(page.problems[0]).toMatch(/^Layer 1: /);
      expect(paths(page)).toContain("last");
    }
  });

  test("never lead out of the image", async () => {
    const layer = await tar([
      ["../escape", "x"],
      ["a/../../b", "x"],
      ["ok", "x"],
      ["x/.wh...", ""],
    ]);
    const { digest } = await pushLayers(repository, [layer]);
    const page = await contents(digest);
    expect(paths(page)).toEqual(["ok"]);
    expect(page.problems).toEqual([
      "Layer 1: 2 entries whose names lead out of the image are left out.",
    ]);
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("..", ".", "", "a", "b\0", "c"), { maxLength: 8 }),
        (parts) => {
          const segments = segmentsOf(parts.join("/"));
          const isStrange = parts.includes("..") || parts.includes("b\0");
          expect(segments === undefined).toBe(isStrange);
          for (const segment of segments ?? []) expect(["a", "c"]).toContain(segment);
        },
      ),
    );
  });

  test("are read as far as the limits allow", async () => {
    const entry = (await tar([["again", ""]])).subarray(0, 512);
    const many = gzip(Buffer.alloc(512 * 100_010, entry));
    const { digest } = await pushLayers(repository, [many, await tar([["z", "z"]])]);
    const page = await contents(digest);
    expect(page.problems).toEqual(["Layer 1: Reading stopped after 100000 entries."]);
    expect([page.complete, paths(page)]).toEqual([false, ["again"]]);
  });

  test("of a layer that the repository does not have are not shown, whoever else has it", async () => {
    const layer = gzip(await tar([["secret", "s"]]));
    const mediaType = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
    const { digest, bytes } = await pushLayers(repository, [layer], { mediaType });
    expect(paths(await contents(digest))).toEqual(["secret"]);
    const other = new Repository(api.registry, "images/other");
    await other.pushBlob(JSON.stringify({ os: "linux", architecture: "amd64" }));
    expect((await other.putManifest("v1", bytes)).status).toBe(201);
    const path = pathOf(digest).replace("team%2Fapp", "other");
    const page = await get(`${path}/image/contents`, contentsView);
    expect(paths(page)).toEqual([]);
    expect(page.problems).toEqual([`Layer 1: ${digestOf(layer)} is not stored here.`]);
  });

  test("are not there for an artifact without archives", async () => {
    const { digest } = await pushLayers(repository, [bytesOf("{}")], {
      mediaType: "application/spdx+json",
    });
    const refused = await refusal(`${pathOf(digest)}/image/contents`, 400);
    expect(refused).toContain("no layers with files");
  });
});

describe("A Helm chart", () => {
  const push = async (config: string, archive: Bytes, tag = "1.2.0_build"): Promise<string> => {
    const configBlob = await repository.pushBlob(
      config,
      "application/vnd.cncf.helm.config.v1+json",
    );
    const mediaType = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    const layer = await repository.pushBlob(archive, mediaType);
    const manifest = { config: descriptor(configBlob), layers: [descriptor(layer)] };
    return (await repository.pushManifest(tag, IMAGE, manifest)).digest;
  };

  test("shows what its Chart.yaml says, its README and values, and how to install it", async () => {
    const chart = {
      apiVersion: "v2",
      name: "app",
      version: "1.2.0+build",
      appVersion: "3",
      description: "An app",
      keywords: ["web"],
      maintainers: [{ name: "someone", email: "s@example.com" }],
      dependencies: [{ name: "db", version: "1.x", repository: "https://example.com" }],
    };
    const archive = await tar([
      ["app/Chart.yaml", "name: app"],
      ["app/README.md", "# App"],
      ["app/values.yaml", "replicas: 1"],
      ["app/charts/db/README.md", "# Not this"],
    ]);
    const digest = await push(JSON.stringify(chart), gzip(archive));
    const shown = await get(`${pathOf(digest)}/chart`, chartView);
    expect(shown).toMatchObject({ chart, readme: "# App", values: "replicas: 1", problems: [] });
    expect(shown.install[0]?.command).toBe(
      "helm install --plain-http app oci://registry.test/images/team/app --version 1.2.0+build",
    );
    expect((await details(digest)).kind).toBe("chart");
    expect(paths(await contents(digest))).toContain("app/Chart.yaml");
  });

  test("that is damaged shows what can be read", async () => {
    const digest = await push("not json", bytesOf("no archive"));
    const shown = await get(`${pathOf(digest)}/chart`, chartView);
    expect(shown.chart.name).toBe("");
    expect(shown.problems).toHaveLength(2);
  });
});

describe("Reading an archive", () => {
  const limits = { maxEntries: 10, maxPathCharacters: 100, maxBytes: 1_000_000, maxMs: 10_000 };
  const read = async (bytes: Uint8Array, changes: Partial<ReadLimits> = {}): Promise<number> => {
    let entries = 0;
    const budget = new ReadBudget({ ...limits, ...changes });
    await readTar(new Blob([bytesOf(""), Uint8Array.from(bytes)]).stream(), budget, {
      enter: ({ name }) => budget.countEntry(name),
      leave: () => entries++,
    });
    return entries;
  };

  test("stops at each of its limits, whatever it was packed with", async () => {
    const bomb = Buffer.concat([await tar([["a", "a"]]), Buffer.alloc(16 * 1024 * 1024)]);
    for (const packed of [bomb, gzipSync(bomb), zstdCompressSync(bomb)]) {
      await expect(read(packed)).rejects.toThrow("after 1000000 bytes");
      expect(await read(packed, { maxBytes: 1024 ** 3 })).toBe(1);
    }
    await expect(read(await tar([["a", "a"]]), { maxMs: 0 })).rejects.toThrow("after 0 seconds");
    await expect(read(await tar([["n".repeat(90)], ["m".repeat(20)]]))).rejects.toThrow(
      "file names",
    );
  });
});
