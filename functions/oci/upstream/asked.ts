import { matchesPattern } from "../../../shared/domain/pattern.ts";
import { type Route, routesFor } from "../../../shared/services/views/routes.ts";
import { namesOf } from "./repository.ts";

/**
 * Whether a registry is asked for an image. What is excluded or blocked by one of its names is so by all of them;
 * included is what any of them includes.
 */
export function isAskedFor({ leaf, refusal }: Route, image: string): boolean {
  const { upstream } = leaf;
  if (upstream === undefined || refusal === "owned-by-source") return refusal === "";
  const names = namesOf(upstream, image);
  const { include, exclude } = upstream;
  const isExcluded = names.some((name) => exclude.some((pattern) => matchesPattern(pattern, name)));
  const isIncluded =
    include.length === 0 ||
    names.some((name) => include.some((pattern) => matchesPattern(pattern, name)));
  const isBlocked = [image, ...names].some((name) =>
    routesFor([leaf], name, false).some((route) => route.refusal === "external-blocked"),
  );
  return isIncluded && !isExcluded && !isBlocked;
}
