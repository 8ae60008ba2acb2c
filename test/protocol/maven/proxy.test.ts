import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  answer,
  type Behaviour,
  BROKEN,
  half,
  type MisbehavingUpstream,
  wrongBytes,
} from "../../support/misbehaving-upstream.ts";
import { FAILING_ANSWERS, openMirror, WRONG_FILES } from "../../support/mirror.ts";
import type { TestRegistry } from "../../support/services.ts";
import { changeRegistry, changeUpstream } from "../../support/upstreams.ts";
import { elements } from "./builders.ts";
import { metadataOf, serveArtifact, serveFile, sum } from "./upstream-artifacts.ts";

const JAR = "/org/example/demo/1.0/demo-1.0.jar";
const JAR_BYTES = "PK demo 1.0 upstream";
const METADATA = "/org/example/demo/maven-metadata.xml";
const PAGE = "<!DOCTYPE html><html><body>Sign in</body></html>";
const HTML = { "content-type": "text/html" };

let upstream: MisbehavingUpstream;
let registry: TestRegistry;

beforeEach(async () => {
  ({ upstream, registry } = await openMirror("maven"));
  serveArtifact(upstream, "demo", ["1.0", "2.0"]);
});

afterEach(async () => {
  await registry.close();
  await upstream.close();
});

const get = (path: string, init: RequestInit = {}): Promise<Response> =>
  registry.request(`/maven/mirror${path}`, init);
const textOf = async (path: string): Promise<string> => {
  const response = await get(path);
  return response.status === 200 ? response.text() : `${response.status}`;
};
const later = (seconds: number): void => {
  registry.clock.aheadMs += seconds * 1000;
};

describe("a file of an upstream", () => {
  test("is fetched once, with its sum, and is here from then on", async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => textOf(JAR)));
    expect(new Set(all)).toEqual(new Set([JAR_BYTES]));
    await upstream.close();
    later(1_000_000);
    expect(await textOf(JAR)).toBe(JAR_BYTES);
    expect([upstream.requests(JAR), upstream.requests(`${JAR}.sha1`)]).toEqual([1, 1]);
  });

  test("has its sums from here, whichever of them the upstream has", async () => {
    for (const algorithm of ["md5", "sha1", "sha256", "sha512"]) {
      expect(await textOf(`${JAR}.${algorithm}`)).toBe(sum(algorithm, JAR_BYTES));
    }
    expect((await get(JAR)).headers.get("x-checksum-sha256")).toBe(sum("sha256", JAR_BYTES));
    expect(upstream.requests(`${JAR}.sha512`)).toBe(0);
  });

  test("needs no file with a sum when the answer has one", async () => {
    const headers = { "x-checksum-sha1": sum("sha1", JAR_BYTES) };
    serveFile(upstream, JAR, JAR_BYTES, { headers });
    expect(await textOf(JAR)).toBe(JAR_BYTES);
    expect(upstream.requests(`${JAR}.sha1`)).toBe(0);
  });

  test.each(["sha256", "md5"] as const)(
    "is verified by its %s where there is no SHA-1",
    async (algorithm) => {
      const path = "/org/example/demo/1.0/demo-1.0-sources.jar";
      serveFile(upstream, path, "sources", { sums: [algorithm], behaviour: wrongBytes("sources") });
      expect((await get(path)).status).toBe(502);
      serveFile(upstream, path, "sources", { sums: [algorithm] });
      expect(await textOf(path)).toBe("sources");
    },
  );

  test("that has no sum at all is taken as it comes", async () => {
    serveFile(upstream, "/org/example/demo/1.0/demo-1.0.zip", "zip", { sums: [] });
    expect(await textOf("/org/example/demo/1.0/demo-1.0.zip")).toBe("zip");
  });

  test("is found although the metadata does not list its version", async () => {
    serveFile(upstream, "/org/example/demo/0.9/demo-0.9.pom", "<project/>");
    expect(await textOf("/org/example/demo/0.9/demo-0.9.pom")).toBe("<project/>");
  });

  test("larger than 4 MiB is sent while it comes, and its sum is that of the whole", async () => {
    const large = Buffer.alloc(5 * 1024 * 1024, "large ");
    const path = "/org/example/demo/1.0/demo-1.0-all.jar";
    serveFile(upstream, path, large);
    expect(await textOf(`${path}.sha1`)).toBe(sum("sha1", large));
    const other = "/org/example/demo/2.0/demo-2.0-all.jar";
    serveFile(upstream, other, large);
    const response = await get(other);
    expect(sum("sha256", new Uint8Array(await response.arrayBuffer()))).toBe(sum("sha256", large));
    expect(await textOf(`${other}.sha256`)).toBe(sum("sha256", large));
  });

  test("shows in the API as a file of its version", async () => {
    await textOf(JAR);
    await textOf(METADATA);
    const path = "/api/v1/registries/mirror/packages/org.example:demo/versions/1.0/files";
    const files = await (await registry.request(path)).json();
    expect(files).toMatchObject({ items: [{ path: "demo-1.0.jar" }] });
  });

  test("says when it was published, not when it was fetched", async () => {
    const changed = "Mon, 02 Mar 2020 10:00:00 GMT";
    serveFile(upstream, JAR, JAR_BYTES, { headers: { "last-modified": changed } });
    expect((await get(JAR)).headers.get("last-modified")).toBe(changed);
  });

  test("cannot be deployed over", async () => {
    const response = await get(JAR, { method: "PUT", body: "mine" });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("is a proxy of the upstream");
  });
});

describe("what the upstream does not have", () => {
  const MISSING = "/org/example/demo/9.9/demo-9.9.jar";

  test.each([404, 410])(
    "is 404 after %i, and is not asked for again for its time",
    async (status) => {
      upstream.on(MISSING, answer("", { status }));
      for (let times = 0; times < 3; times++) expect((await get(MISSING)).status).toBe(404);
      expect((await get(`${MISSING}.sha1`)).status).toBe(404);
      expect(upstream.requests(MISSING)).toBe(1);
      serveFile(upstream, MISSING, "published since");
      later(31);
      expect(await textOf(MISSING)).toBe("published since");
    },
  );

  test("is still 404 while the upstream fails, so that the next repository is asked", async () => {
    expect((await get(MISSING)).status).toBe(404);
    expect((await get("/org/example/none/maven-metadata.xml")).status).toBe(404);
    await upstream.close();
    later(3600);
    expect((await get(MISSING)).status).toBe(404);
    expect((await get("/org/example/none/maven-metadata.xml")).status).toBe(404);
  });

  test("is 404 when the upstream is offline", async () => {
    await changeUpstream(registry, "mirror", { offline: true });
    expect((await get(JAR)).status).toBe(404);
  });
});

const FAILURES: readonly (readonly [string, Behaviour])[] = [
  ...WRONG_FILES.map(([name, of]) => [name, of(Buffer.from(JAR_BYTES))] as const),
  ...FAILING_ANSWERS.filter(([name]) => name !== "500"),
  ["a page of HTML by its type", answer(PAGE, { headers: HTML })],
  ["403", answer("", { status: 403 })],
  ["503", answer("", { status: 503 })],
];

describe("a file in whose place the upstream sends", () => {
  test.each(FAILURES)(
    "%s is 502 with words, is not kept, and is asked for again",
    async (_, behaviour) => {
      serveFile(upstream, JAR, JAR_BYTES, { behaviour });
      const response = await get(JAR);
      expect(response.status).toBe(502);
      expect(await response.text()).toContain('The upstream \\"mirror\\"');
      serveFile(upstream, JAR, JAR_BYTES);
      expect(await textOf(JAR)).toBe(JAR_BYTES);
    },
  );

  test("a page, with no sums and no content type to know it by", async () => {
    upstream.on("*", answer(PAGE));
    const path = "/org/example/demo/1.0/demo-1.0-all.jar";
    expect((await get(path)).status).toBe(502);
    expect((await get(`${path}.sha1`)).status).toBe(502);
  });

  test("nothing for its sum, which cannot be known then", async () => {
    upstream.on(`${JAR}.sha1`, answer("", { status: 500 }));
    expect((await get(JAR)).status).toBe(502);
  });
});

describe("metadata of an upstream", () => {
  test("is its versions in our order, with sums that are right", async () => {
    upstream.on(
      METADATA,
      answer(metadataOf("org.example", "demo", ["2.0", "10.0", "1.0", "10.0", "11-SNAPSHOT"])),
    );
    const text = await textOf(METADATA);
    expect(elements(text, "version")).toEqual(["1.0", "2.0", "10.0", "11-SNAPSHOT"]);
    expect(elements(text, "release")).toEqual(["10.0"]);
    expect(elements(text, "latest")).toEqual(["11-SNAPSHOT"]);
    expect(elements(text, "lastUpdated")).toEqual(["20260101000000"]);
    expect(await textOf(`${METADATA}.sha1`)).toBe(sum("sha1", text));
  });

  test("is asked for once, then after its time whether it changed", async () => {
    for (let times = 0; times < 3; times++) await textOf(METADATA);
    expect(upstream.requests(METADATA)).toBe(1);
    later(61);
    await textOf(METADATA);
    expect(upstream.received.at(-1)?.headers["if-none-match"]).toBe('"1"');
    upstream.on(METADATA, answer(metadataOf("org.example", "demo", ["1.0", "2.0", "3.0"])));
    later(61);
    expect(elements(await textOf(METADATA), "release")).toEqual(["3.0"]);
  });

  const BAD: readonly (readonly [string, Behaviour])[] = [
    ["broken XML", answer(BROKEN.xml)],
    ["a page", answer(PAGE, { headers: HTML })],
    ["JSON", answer('{"error":"not here"}')],
    ["another artifact's", answer(metadataOf("org.example", "other", ["1.0"]))],
    ["entities", answer('<!DOCTYPE m [<!ENTITY a "b">]><metadata>&a;</metadata>')],
    ["500", answer("", { status: 500 })],
    ["half of it", half(metadataOf("org.example", "demo", ["1.0"]), "truncate")],
  ];

  test.each(BAD)(
    "that is %s is 502 at first, and the copy where there is one",
    async (_, behaviour) => {
      upstream.on(METADATA, behaviour);
      expect((await get(METADATA)).status).toBe(502);
      serveArtifact(upstream, "demo", ["1.0", "2.0"]);
      const good = await textOf(METADATA);
      upstream.on(METADATA, behaviour);
      later(61);
      const stale = await get(METADATA);
      expect(stale.headers.get("warning")).toContain("does not answer");
      expect(await stale.text()).toBe(good);
    },
  );
});

describe("snapshots of an upstream", () => {
  const FOLDER = "/org/example/demo/3.0-SNAPSHOT";
  const snapshot = (stamp: string, number: number): string =>
    `<metadata><groupId>org.example</groupId><artifactId>demo</artifactId><version>3.0-SNAPSHOT</version><versioning><snapshot><timestamp>${stamp}</timestamp><buildNumber>${number}</buildNumber></snapshot></versioning></metadata>`;

  test("have metadata that is looked at again, and builds that are kept", async () => {
    upstream.on(`${FOLDER}/maven-metadata.xml`, answer(snapshot("20260101.000000", 1)));
    expect(elements(await textOf(`${FOLDER}/maven-metadata.xml`), "buildNumber")).toEqual(["1"]);
    upstream.on(`${FOLDER}/maven-metadata.xml`, answer(snapshot("20260102.000000", 2)));
    expect(elements(await textOf(`${FOLDER}/maven-metadata.xml`), "buildNumber")).toEqual(["1"]);
    later(61);
    const text = await textOf(`${FOLDER}/maven-metadata.xml`);
    expect(elements(text, "buildNumber")).toEqual(["2"]);
    expect(await textOf(`${FOLDER}/maven-metadata.xml.sha1`)).toBe(sum("sha1", text));
    const build = `${FOLDER}/demo-3.0-20260102.000000-2.jar`;
    serveFile(upstream, build, "build 2");
    expect(await textOf(build)).toBe("build 2");
    later(1_000_000);
    await textOf(build);
    expect(upstream.requests(build)).toBe(1);
  });

  test("without builds are looked at again, and served as they were while the upstream fails", async () => {
    const jar = `${FOLDER}/demo-3.0-SNAPSHOT.jar`;
    serveFile(upstream, jar, "first");
    expect([await textOf(jar), await textOf(jar)]).toEqual(["first", "first"]);
    expect(upstream.requests(jar)).toBe(1);
    serveFile(upstream, jar, "second one");
    later(61);
    expect(await textOf(jar)).toBe("second one");
    expect(await textOf(`${jar}.sha1`)).toBe(sum("sha1", "second one"));
    upstream.on(jar, answer("", { status: 500 }));
    later(61);
    expect(await textOf(jar)).toBe("second one");
  });
});

describe("a minimum age", () => {
  const NOW = Date.now();
  const daysAgo = (days: number): Date => new Date(NOW - days * 86_400_000);
  const dated = (days: number) => ({ headers: { "last-modified": daysAgo(days).toUTCString() } });
  const name = (version: string): string => `/org/example/demo/${version}/demo-${version}`;

  beforeEach(async () => {
    serveArtifact(upstream, "demo", ["1.0", "1.1", "2.0"]);
    serveArtifact(upstream, "demo", ["1.0"], dated(100));
    serveArtifact(upstream, "demo", ["1.1"], dated(20));
    serveArtifact(upstream, "demo", ["2.0"], dated(1));
    upstream.on(METADATA, answer(metadataOf("org.example", "demo", ["1.0", "1.1", "2.0"])));
    await changeRegistry(registry, "mirror", { minimumAgeDays: 7 });
  });

  test("hides younger versions by the times of their POMs, and their files too", async () => {
    const text = await textOf(METADATA);
    expect(elements(text, "version")).toEqual(["1.0", "1.1"]);
    expect(elements(text, "release")).toEqual(["1.1"]);
    expect((await get(`${name("2.0")}.jar`)).status).toBe(404);
    expect((await get(`${name("2.0")}.jar.sha1`)).status).toBe(404);
    expect((await get(`${name("1.1")}.jar`)).status).toBe(200);
    later(7 * 86_400);
    expect(elements(await textOf(METADATA), "release")).toEqual(["2.0"]);
    expect((await get(`${name("2.0")}.jar`)).status).toBe(200);
  });

  test.each([
    (date: Date, version: string) =>
      `<a href="${version}/" title="${version}/">${version}/</a>      ${date.toISOString().slice(0, 16).replace("T", " ")}         -`,
    (date: Date, version: string) => {
      const [, day, month, year, time = ""] = date.toUTCString().split(" ");
      return `<a href="${version}/">${version}/</a>   ${day}-${month}-${year} ${time.slice(0, 5)}    -`;
    },
  ])("takes the times of a folder's page where there is one (%#)", async (row) => {
    const rows = [row(daysAgo(100), "1.0"), row(daysAgo(3), "1.1"), row(daysAgo(90), "2.0")];
    upstream.on("/org/example/demo/", answer(`<html><pre>${rows.join("\n")}</pre></html>`));
    expect(elements(await textOf(METADATA), "version")).toEqual(["1.0", "2.0"]);
    expect(upstream.requests(`${name("1.1")}.pom`)).toBe(0);
  });

  test("spares names that are exempt, of which no times are asked", async () => {
    await changeRegistry(registry, "mirror", { minimumAgeExempt: ["org.example:*"] });
    expect(elements(await textOf(METADATA), "release")).toEqual(["2.0"]);
    expect(upstream.requests("/org/example/demo/")).toBe(0);
    expect((await get(`${name("2.0")}.jar`)).status).toBe(200);
  });

  test("hides a snapshot whose newest build is younger", async () => {
    const path = "/org/example/demo/3.0-SNAPSHOT/maven-metadata.xml";
    const [day, time] = daysAgo(1).toISOString().replaceAll(/[-:]/g, "").slice(0, 15).split("T");
    upstream.on(
      path,
      answer(
        `<metadata><versioning><snapshot><timestamp>${day}.${time}</timestamp><buildNumber>1</buildNumber></snapshot></versioning></metadata>`,
      ),
    );
    expect((await get(path)).status).toBe(404);
    later(7 * 86_400);
    expect((await get(path)).status).toBe(200);
  });
});
