import { matchesPattern } from "./pattern.ts";

/** What may be done with packages by their names: where they may come from, and whether they may be published. */
export interface PackageRule {
  /** `*` stands for any characters. */
  readonly pattern: string;
  /** Publishing through this registry. Absent: what the next rule says, and allowed in the end. */
  readonly publish?: "allow" | "block";
  /** Versions of source registries. Absent: what the next rule says, and allowed in the end. */
  readonly internal?: "allow" | "block";
  /**
   * Versions of proxies. Absent: what the next rule says, and in the end allowed for names that no source registry
   * behind this one has. `allow` mixes versions of both.
   */
  readonly external?: "allow" | "block";
}

/** Where a registry that is no source takes its packages from. */
export interface Routing {
  /** Proxy: key of the upstream that it caches. Empty for other kinds. */
  readonly proxyOf: string;
  /** Composite: slugs of the registries behind it, the first one asked first. */
  readonly upstreams: readonly string[];
  /** Composite: slug of the proxy of the official registry, which is asked last. Empty: none. */
  readonly official: string;
  /** Composite: slug of the source registry that takes what is published here. Empty: nothing can be. */
  readonly publishTo: string;
  /** The first rule that matches a name and says something of a thing decides it. */
  readonly packageRules: readonly PackageRule[];
  /** Versions younger than this are not there. 0: all are. */
  readonly minimumAgeDays: number;
  /** Patterns of names that may be younger. */
  readonly minimumAgeExempt: readonly string[];
}

export const NO_ROUTING: Routing = {
  proxyOf: "",
  upstreams: [],
  official: "",
  publishTo: "",
  packageRules: [],
  minimumAgeDays: 0,
  minimumAgeExempt: [],
};

/** The official registry's proxy as the last member of a composite; none where it is off. */
export const officialMember = ({ official }: Routing): readonly string[] =>
  official === "" ? [] : [official];

export type RuleSubject = "publish" | "internal" | "external";

/** The rule that decides over a name: the first that matches it and says something of the subject. */
export function decidingRule(
  rules: readonly PackageRule[],
  subject: RuleSubject,
  packageName: string,
): PackageRule | undefined {
  return rules.find(
    (rule) => rule[subject] !== undefined && matchesPattern(rule.pattern, packageName),
  );
}

/** What the rules say of a name; `undefined` when none does. */
export function ruleFor(
  rules: readonly PackageRule[],
  subject: RuleSubject,
  packageName: string,
): "allow" | "block" | undefined {
  return decidingRule(rules, subject, packageName)?.[subject];
}

const DAY_MS = 86_400_000;

/** From when on a version published at `publishedAtMs` is there; 0 for always. Unknown times (0) count as old. */
export function visibleFromMs(
  { minimumAgeDays, minimumAgeExempt }: Routing,
  packageName: string,
  publishedAtMs: number,
): number {
  if (minimumAgeDays === 0 || publishedAtMs === 0) return 0;
  if (minimumAgeExempt.some((pattern) => matchesPattern(pattern, packageName))) return 0;
  return publishedAtMs + minimumAgeDays * DAY_MS;
}
