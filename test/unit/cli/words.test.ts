import { describe, expect, test } from "vitest";
import { apiPath } from "../../../cli/client/api-path.ts";
import { parsePackageSpec, requireVersion } from "../../../cli/client/package-spec.ts";
import { futureTime, pastTime } from "../../../cli/client/times.ts";

describe("a package as it is typed", () => {
  test.each([
    ["app", { name: "app" }],
    ["app@1.0.0", { name: "app", version: "1.0.0" }],
    ["@acme/app", { name: "@acme/app" }],
    ["@acme/app@latest", { name: "@acme/app", version: "latest" }],
  ])("%s is understood", (text, spec) => {
    expect(parsePackageSpec(text)).toEqual(spec);
  });

  test.each(["", "app@"])("'%s' is refused", (text) => {
    expect(() => parsePackageSpec(text)).toThrow(expect.objectContaining({ exitCode: 2 }));
  });

  test("without its version is refused where one is needed", () => {
    expect(() => requireVersion("@acme/app")).toThrow("@acme/app@<version>");
  });
});

describe("a path of the API", () => {
  test("keeps what was typed within its segment", () => {
    expect(apiPath`/registries/${"a/../b?c#d"}/packages/${"@acme/app"}`).toBe(
      "/registries/a%2F..%2Fb%3Fc%23d/packages/%40acme%2Fapp",
    );
  });

  test("cannot be walked up, also not by a URL parser", () => {
    // `..` and its escapes are resolved away by every parser, so that no encoding of them is safe.
    expect(() => apiPath`/registries/${".."}`).toThrow(expect.objectContaining({ exitCode: 2 }));
    expect(() => apiPath`/registries/${"."}`).toThrow(expect.objectContaining({ exitCode: 2 }));
    expect(() => apiPath`/registries/${""}`).toThrow(expect.objectContaining({ exitCode: 2 }));
  });
});

describe("a time as it is typed", () => {
  const nowMs = Date.parse("2026-11-21T12:00:00Z");

  test("may be a date, a time, or a span", () => {
    expect(pastTime("2026-11-01", nowMs)).toBe("2026-11-01T00:00:00.000Z");
    expect(pastTime("2026-11-01T05:00:00+02:00", nowMs)).toBe("2026-11-01T03:00:00.000Z");
    expect(pastTime("36h", nowMs)).toBe("2026-11-20T00:00:00.000Z");
    expect(futureTime("2w", nowMs)).toBe("2026-12-05T12:00:00.000Z");
  });

  test.each(["1", "yesterday", "7", "7y", "2026-13-01", "-3d"])("%s is refused", (text) => {
    expect(() => pastTime(text, nowMs)).toThrow(expect.objectContaining({ exitCode: 2 }));
  });
});
