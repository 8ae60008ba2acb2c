import * as fc from "fast-check";
import semver from "semver";
import { describe, expect, test } from "vitest";
import { NO_ROUTING, type Routing } from "../../../shared/domain/routing.ts";
import type { Ecosystem } from "../../../shared/services/ecosystem.ts";
import {
  type Listing,
  type ListingSource,
  mergeListings,
} from "../../../shared/services/views/listing.ts";

const DAY_MS = 86_400_000;
const NOW_MS = 1000 * DAY_MS;

const ecosystem: Ecosystem = {
  name: "npm",
  renderers: [],
  parsePackageName: (text) => text,
  parseVersion: (text) => text,
  compareVersions: (a, b) => semver.compare(a, b),
  isPrerelease: (version) => semver.prerelease(version) !== null,
};

const version = fc
  .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }), fc.boolean())
  .map(([major, minor, pre]) => `${major}.${minor}.0${pre ? "-rc.1" : ""}`);

const listing = fc
  .uniqueArray(fc.tuple(version, fc.integer({ min: 0, max: 999 })), {
    selector: ([name]) => name,
    maxLength: 8,
  })
  .chain((versions) =>
    fc.dictionary(fc.constantFrom("latest", "next", "old"), fc.integer({ min: 0, max: 99 })).map(
      (tags): Listing => ({
        about: {},
        versions: versions.map(([name, day]) => ({
          version: name,
          publishedAtMs: day * DAY_MS,
          entry: {},
          files: [],
        })),
        tags: Object.fromEntries(
          Object.entries(tags).flatMap(([tag, position]) => {
            const target = versions[position % Math.max(versions.length, 1)]?.[0];
            return target === undefined ? [] : [[tag, target]];
          }),
        ),
      }),
    ),
  );

const routing = fc
  .record({
    minimumAgeDays: fc.constantFrom(0, 7, 300, 2000),
    minimumAgeExempt: fc.constantFrom([], ["pkg"], ["other"]),
  })
  .map((rules): Routing => ({ ...NO_ROUTING, ...rules }));

const sources = fc
  .array(fc.record({ listing, routings: fc.array(routing, { maxLength: 2 }) }), { maxLength: 4 })
  .map((all) =>
    all.map((source, position): ListingSource => ({ ...source, slug: `s${position}` })),
  );

const merge = (from: readonly ListingSource[], nowMs = NOW_MS) =>
  mergeListings(ecosystem, "pkg", from, nowMs);

const ageOf = ({ routings }: ListingSource): number =>
  Math.max(
    0,
    ...routings.map((rules) => (rules.minimumAgeExempt.includes("pkg") ? 0 : rules.minimumAgeDays)),
  );

describe("a merged listing", () => {
  test("has each version once, from the first source that has it, unless it is too young there", () => {
    fc.assert(
      fc.property(sources, (from) => {
        const { versions } = merge(from);
        const all = new Set(
          from.flatMap((source) => source.listing.versions.map((v) => v.version)),
        );
        for (const name of all) {
          const owner = from.find((source) =>
            source.listing.versions.some((v) => v.version === name),
          );
          const there = owner?.listing.versions.find((v) => v.version === name);
          const days = owner === undefined ? 0 : ageOf(owner);
          const at = there?.publishedAtMs ?? 0;
          const isVisible = days === 0 || at === 0 || at + days * DAY_MS <= NOW_MS;
          const found = versions.filter((v) => v.version === name);
          expect(found.map(({ origin }) => origin)).toEqual(isVisible ? [owner?.slug] : []);
        }
      }),
    );
  });

  test("has only tags of visible versions, and a latest wherever a source had one and a version is left", () => {
    fc.assert(
      fc.property(sources, (from) => {
        const { versions, tags } = merge(from);
        const names = versions.map((v) => v.version);
        for (const target of Object.values(tags)) expect(names).toContain(target);
        const hadLatest = from.some((source) => "latest" in source.listing.tags);
        expect("latest" in tags).toBe(hadLatest && names.length > 0);
      }),
    );
  });

  test("does not depend on the order of versions within a source, nor on sources that have none", () => {
    fc.assert(
      fc.property(sources, fc.nat(), (from, seed) => {
        const shuffled = from.flatMap((source) => [
          { slug: "empty", routings: [], listing: { tags: {}, versions: [], about: {} } },
          {
            ...source,
            listing: {
              ...source.listing,
              versions: source.listing.versions.toSorted(
                (a, b) => ((a.publishedAtMs + seed) % 7) - ((b.publishedAtMs + seed) % 7),
              ),
            },
          },
        ]);
        const byName = (merged: ReturnType<typeof merge>) => ({
          ...merged,
          versions: merged.versions.toSorted((a, b) => (a.version < b.version ? -1 : 1)),
        });
        expect(byName(merge(shuffled))).toEqual(byName(merge(from)));
      }),
    );
  });

  test("changes by time alone at the moment that it names, and not before", () => {
    fc.assert(
      fc.property(sources, (from) => {
        const now = merge(from);
        if (now.nextVersionAtMs === 0) {
          expect(merge(from, NOW_MS * 100).versions).toEqual(now.versions);
        } else {
          expect(merge(from, now.nextVersionAtMs - 1).versions).toEqual(now.versions);
          expect(merge(from, now.nextVersionAtMs).versions.length).toBeGreaterThan(
            now.versions.length,
          );
        }
      }),
    );
  });
});
