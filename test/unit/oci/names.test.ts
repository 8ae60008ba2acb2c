import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findDigest, parseImageName, parseReference } from "../../../functions/oci/names.ts";
import { parseOciPath } from "../../../functions/oci/path.ts";

const component = fc
  .stringMatching(/^[a-z0-9]+([._-][a-z0-9]+)*$/)
  .filter((text) => text.length < 30);
const image = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));

describe("Names of images", () => {
  test("may have components joined in the ways of the specification", () => {
    for (const name of ["a", "a/b/c", "a.b", "a_b", "a__b", "a-b", "a---b", "0", "manifests"]) {
      expect(parseImageName(name)).toBe(name);
    }
    for (const name of [
      "",
      "A",
      "a//b",
      "/a",
      "a/",
      ".a",
      "a.",
      "a..b",
      "a___b",
      "a._b",
      "a b",
      "ä",
    ]) {
      expect(() => parseImageName(name)).toThrow(/is not the name of an image/);
    }
  });

  test("are found in every path, whatever words of the protocol they hold", () => {
    const words = fc.constantFrom("blobs", "uploads", "manifests", "tags", "list", "referrers");
    const names = fc.array(fc.oneof(component, words), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(names, fc.constantFrom("reg", "tags"), (parts, registry) => {
        const repository = { registry, image: parts.join("/") };
        const base = `/v2/${registry}/${repository.image}`;
        const digest = `sha256:${"0".repeat(64)}`;
        expect(parseOciPath(`${base}/manifests/v1`)).toEqual({
          kind: "manifest",
          last: "v1",
          ...repository,
        });
        expect(parseOciPath(`${base}/blobs/${digest}`)).toEqual({
          kind: "blob",
          last: digest,
          ...repository,
        });
        expect(parseOciPath(`${base}/tags/list`)).toEqual({ kind: "tags", ...repository });
        expect(parseOciPath(`${base}/blobs/uploads/`)).toEqual({
          kind: "start-upload",
          ...repository,
        });
        expect(parseOciPath(`${base}/blobs/uploads/id`)).toEqual({
          kind: "upload",
          last: "id",
          ...repository,
        });
      }),
    );
  });
});

describe("References", () => {
  test("are digests when they hold a colon, and tags otherwise", () => {
    const digest = `sha256:${"0".repeat(64)}`;
    expect(parseReference(digest)).toMatchObject({ kind: "digest", digest: { text: digest } });
    expect(parseReference("v1.0_x-y")).toEqual({ kind: "tag", tag: "v1.0_x-y" });
    expect(() => parseReference("sha256:x")).toThrow(/is not a digest/);
    expect(() => parseReference("-v1")).toThrow(/is not a tag/);
  });

  test("never let anything through that a key or a path could not hold", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), image), (text) => {
        const found = findDigest(text);
        if (found !== undefined) expect(text).toMatch(/^sha(256|512):[0-9a-f]+$/);
        try {
          expect(parseImageName(text)).not.toMatch(/[#\0\\]|\.\.|\/\//);
        } catch (error) {
          expect(String(error)).toContain("is not the name of an image");
        }
      }),
    );
  });
});
