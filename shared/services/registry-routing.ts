import { InvalidInputError } from "../errors.ts";
import type { RegistryKind } from "../domain/registry.ts";
import type { PackageRule, Routing, RuleSubject } from "../domain/routing.ts";

/** Where a registry is to take packages from; absent stays as it is. */
export interface RoutingEdits {
  /** Proxy: key of its upstream. Cannot change later. */
  readonly upstream?: string;
  /** Composite: slugs, the first one asked first. */
  readonly upstreams?: readonly string[];
  /** Composite: whether the ecosystem's official registry is asked last. */
  readonly official?: boolean;
  /** Composite: slug of one of `upstreams`; empty: nothing can be published. */
  readonly publishTo?: string;
  readonly packageRules?: readonly PackageRule[];
  readonly minimumAgeDays?: number;
  readonly minimumAgeExempt?: readonly string[];
}

type Field = keyof RoutingEdits;

const FIELDS: Readonly<Record<RegistryKind, readonly Field[]>> = {
  source: ["packageRules"],
  composite: [
    "upstreams",
    "official",
    "publishTo",
    "packageRules",
    "minimumAgeDays",
    "minimumAgeExempt",
  ],
  proxy: ["upstream", "packageRules", "minimumAgeDays", "minimumAgeExempt"],
};

const SUBJECTS: Readonly<Record<RegistryKind, readonly RuleSubject[]>> = {
  source: ["publish"],
  composite: ["publish", "internal", "external"],
  proxy: ["external"],
};

/**
 * What the edits say of rules and ages, laid over what there is; what they say of other registries is for the composer.
 *
 * @param canonicalPattern The form of a pattern in which names of the ecosystem are compared.
 * @throws {InvalidInputError} for what a registry of this kind does not have, and for rules that say nothing.
 */
export function editRouting(
  kind: RegistryKind,
  before: Routing,
  edits: RoutingEdits,
  canonicalPattern: (pattern: string) => string,
): Routing {
  requireFields(kind, edits);
  const { packageRules = before.packageRules, minimumAgeExempt = before.minimumAgeExempt } = edits;
  return {
    ...before,
    packageRules: packageRules
      .map((rule, position) => checkedRule(kind, rule, position))
      .map((rule) => ({ ...rule, pattern: canonicalPattern(rule.pattern) })),
    minimumAgeDays: edits.minimumAgeDays ?? before.minimumAgeDays,
    minimumAgeExempt: minimumAgeExempt.map(canonicalPattern),
  };
}

function requireFields(kind: RegistryKind, edits: RoutingEdits): void {
  const known: readonly Field[] = Object.values(FIELDS).flat();
  const given = known.filter((field) => edits[field] !== undefined);
  const wrong = [...new Set(given)].filter((field) => !FIELDS[kind].includes(field));
  if (wrong.length === 0) return;
  const issues = wrong.map((field) => ({
    at: `/${field}`,
    problem: `is not for registries of kind "${kind}"`,
  }));
  throw new InvalidInputError(`A registry of kind "${kind}" has no ${wrong.join(", ")}.`, issues);
}

function checkedRule(kind: RegistryKind, rule: PackageRule, position: number): PackageRule {
  const said = (["publish", "internal", "external"] as const).filter(
    (subject) => rule[subject] !== undefined,
  );
  const at = `/packageRules/${position}`;
  if (said.length === 0) {
    const problem = `says nothing; add one of ${SUBJECTS[kind].join(", ")}`;
    throw new InvalidInputError(`The rule for "${rule.pattern}" ${problem}.`, [{ at, problem }]);
  }
  const wrong = said.find((subject) => !SUBJECTS[kind].includes(subject));
  if (wrong !== undefined) {
    const problem = `is not for registries of kind "${kind}", whose rules say ${SUBJECTS[kind].join(", ")}`;
    throw new InvalidInputError(`In the rule for "${rule.pattern}", ${wrong} ${problem}.`, [
      { at: `${at}/${wrong}`, problem },
    ]);
  }
  return rule;
}
