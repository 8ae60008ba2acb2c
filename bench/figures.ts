import { INSTALL } from "./loads/install.ts";
import { packumentCasesAt8 } from "./loads/packuments.ts";
import { INTO_LARGE, NEW_PACKAGE, NEW_VERSION } from "./loads/publishes.ts";
import { tarballCase } from "./loads/tarballs.ts";
import { MEMORY_AFTER_LOAD } from "./measure/memory.ts";
import { medianOf, ratioOf, type Sample } from "./samples.ts";

/** A ratio that we want to reach, and what came of it. */
export interface Figure {
  readonly name: string;
  readonly bound: "at least" | "at most";
  readonly wanted: number;
  /** The worst of all cases that it speaks of; `undefined` when one of them was not measured. */
  readonly reached: number | undefined;
}

/** Whether it was reached; `undefined` when it was not measured. */
export function isReached({ bound, wanted, reached }: Figure): boolean | undefined {
  if (reached === undefined) return undefined;
  return bound === "at least" ? reached >= wanted : reached <= wanted;
}

/** The figures that the project promises, all of them ratios within one run on one machine. */
export function checkFigures(samples: readonly Sample[]): readonly Figure[] {
  const toVerdaccio = ["entrepot", "verdaccio"] as const;
  const toBareNode = ["entrepot", "bare-node"] as const;
  const small = packumentCasesAt8("small", ["gzip", "plain"]);
  const large = packumentCasesAt8("large", ["gzip", "plain"]);
  const publishes = [`${NEW_PACKAGE} c1`, `${NEW_VERSION} c1`];
  const atLeast = (
    name: string,
    wanted: number,
    ratios: readonly (number | undefined)[],
  ): Figure => ({
    name,
    bound: "at least",
    wanted,
    reached: worst(ratios, Math.min),
  });
  const atMost = (
    name: string,
    wanted: number,
    ratios: readonly (number | undefined)[],
  ): Figure => ({
    name,
    bound: "at most",
    wanted,
    reached: worst(ratios, Math.max),
  });
  return [
    atLeast(
      "packument GET c8, to Verdaccio",
      5,
      small.map((label) => ratioOf(samples, toVerdaccio, label, "requests/s")),
    ),
    atLeast(
      "packument GET c8, to bare Node",
      0.3,
      small.map((label) => ratioOf(samples, toBareNode, label, "requests/s")),
    ),
    atLeast(
      "packument of 1,000 versions GET c8, to Verdaccio",
      80,
      large.map((label) => ratioOf(samples, toVerdaccio, label, "requests/s")),
    ),
    atLeast("tarball 50 MB, to bare Node", 0.7, [
      ratioOf(samples, toBareNode, tarballCase("50 MB", 1), "MB/s"),
    ]),
    atMost(
      "publish p50, to Verdaccio",
      1,
      publishes.map((label) => ratioOf(samples, toVerdaccio, label, "p50 ms")),
    ),
    atMost("publish p50 of version 1,000, to version 1", 3, [growth(samples)]),
    atMost("npm install of 150 packages, to Verdaccio", 1, [
      ratioOf(samples, toVerdaccio, INSTALL, "seconds"),
    ]),
    atMost("memory after load, to Verdaccio", 0.5, [
      ratioOf(samples, toVerdaccio, MEMORY_AFTER_LOAD, "MB"),
    ]),
  ];
}

function growth(samples: readonly Sample[]): number | undefined {
  const last = medianOf(samples, "entrepot", INTO_LARGE, "p50 ms");
  const first = medianOf(samples, "entrepot", `${NEW_PACKAGE} c1`, "p50 ms");
  return last === undefined || first === undefined ? undefined : last / first;
}

function worst(
  ratios: readonly (number | undefined)[],
  choose: (...values: number[]) => number,
): number | undefined {
  const known = ratios.filter((ratio) => ratio !== undefined);
  return known.length === ratios.length ? choose(...known) : undefined;
}
