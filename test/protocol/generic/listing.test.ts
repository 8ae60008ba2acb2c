import { createHash } from "node:crypto";
import * as z from "zod";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";
import { genericRegistry, put } from "./builders.ts";

let registry: TestRegistry;
beforeAll(async () => {
  registry = await openTestRegistry();
  await genericRegistry(registry);
  await put(registry, "/generic/files/alpha/1.0.0/a.txt", "a");
  await put(registry, "/generic/files/alpha/1.0.0/docs/b.txt", "bb");
  await put(registry, `/generic/files/alpha/1.0.0/docs/${encodeURIComponent("<script>")}`, "x");
  await put(registry, "/generic/files/alpha/2.0.0/a.txt", "a");
  await put(registry, "/generic/files/beta/1.0.0/a.txt", "a");
});
afterAll(async () => registry.close());

const json = async (path: string): Promise<unknown> => (await registry.request(path)).json();
const html = async (path: string): Promise<Response> =>
  registry.request(path, { headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8" } });

const PAGE = z.object({ files: z.array(z.object({ path: z.string() })) });

describe("as JSON", () => {
  test("a registry lists its packages by name", async () => {
    expect(await json("/generic/files/")).toMatchObject({
      registry: "files",
      packages: [
        {
          name: "alpha",
          latestVersion: "2.0.0",
          versionCount: 2,
          url: "http://registry.test/generic/files/alpha/",
        },
        { name: "beta", latestVersion: "1.0.0", versionCount: 1 },
      ],
    });
  });

  test("a package lists its versions, the newest first", async () => {
    expect(await json("/generic/files/alpha/")).toMatchObject({
      package: "alpha",
      latestVersion: "2.0.0",
      versions: [
        { version: "2.0.0", fileCount: 1, sizeBytes: 1 },
        { version: "1.0.0", fileCount: 3, sizeBytes: 4 },
      ],
    });
  });

  test("a version lists its files, also from a folder on, with or without a slash at its end", async () => {
    const paths = { files: [{ path: "a.txt" }, { path: "docs/<script>" }, { path: "docs/b.txt" }] };
    expect(await json("/generic/files/alpha/1.0.0/")).toMatchObject(paths);
    expect(await json("/generic/files/alpha/1.0.0")).toMatchObject(paths);
    expect(await json("/generic/files/alpha/1.0.0/docs/")).toMatchObject({
      prefix: "docs/",
      files: [
        {
          path: "docs/<script>",
          url: "http://registry.test/generic/files/alpha/1.0.0/docs/%3Cscript%3E",
        },
        { path: "docs/b.txt" },
      ],
    });
    expect(await json("/generic/files/alpha/latest/")).toMatchObject({ version: "2.0.0" });
  });

  test("pages follow each other by cursor and by Link", async () => {
    const seen: unknown[] = [];
    let next: string | undefined = "?limit=1";
    for (let pages = 0; next !== undefined && pages < 10; pages++) {
      const response: Response = await registry.request(`/generic/files/alpha/1.0.0/${next}`);
      const { files } = PAGE.parse(await response.json());
      seen.push(...files.map(({ path }) => path));
      next = /^<(.*)>; rel="next"$/.exec(response.headers.get("link") ?? "")?.[1];
    }
    expect(seen).toEqual(["a.txt", "docs/<script>", "docs/b.txt"]);
  });

  test("what is not there is 404, and a limit or cursor that is none 400", async () => {
    const status = async (path: string): Promise<number> => (await registry.request(path)).status;
    expect(await status("/generic/none/")).toBe(404);
    expect(await status("/generic/files/gamma/")).toBe(404);
    expect(await status("/generic/files/alpha/3.0.0/")).toBe(404);
    expect(await status("/generic/files/alpha/1.0.0/none/")).toBe(404);
    expect(await status("/generic/files/?limit=0")).toBe(400);
    expect(await status("/generic/files/?limit=101")).toBe(400);
    expect(await status("/generic/files/?cursor=abc")).toBe(400);
    expect(await status("/generic/files/?format=xml")).toBe(400);
  });
});

describe("as HTML", () => {
  test("is what browsers get, under a policy that lets nothing run", async () => {
    const response = await html("/generic/files/alpha/1.0.0/");
    expect(response.headers.get("content-type")).toBe("text/html; charset=UTF-8");
    expect(response.headers.get("content-security-policy")).toMatch(
      /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'/,
    );
    const [, style = ""] = /<style>([^]*)<\/style>/.exec(await response.text()) ?? [];
    const hash = createHash("sha256").update(style).digest("base64");
    expect(response.headers.get("content-security-policy")).toContain(`'sha256-${hash}'`);
    expect(response.headers.get("vary")).toBe("accept");
  });

  test("shows names as text, never as markup", async () => {
    const page = await (await html("/generic/files/alpha/1.0.0/docs/")).text();
    expect(page).toContain("&lt;script&gt;");
    expect(page).not.toMatch(/<script/i);
    expect(page).toContain('href="/generic/files/alpha/1.0.0/docs/%3Cscript%3E"');
  });

  test("links the way back and the next page", async () => {
    const page = await (await html("/generic/files/alpha/1.0.0/?limit=1&format=html")).text();
    expect(page).toContain('<a href="/generic/files/">files</a>');
    expect(page).toMatch(/<a rel="next" href="\?cursor=[^"]+&amp;limit=1&amp;format=html">/);
  });

  test("?format=json wins over what a browser accepts", async () => {
    const response = await html("/generic/files/?format=json");
    expect(response.headers.get("content-type")).toBe("application/json");
  });
});
