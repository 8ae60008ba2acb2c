import type { Plugin } from "esbuild";

/** A module whose place in the bundles another text takes. */
interface Trim {
  /** As the importing module names it. */
  readonly specifier: RegExp;
  /** Folder that the importing module must be in; any when absent. */
  readonly within?: RegExp;
  /** The module instead. Resolves its own imports from the project's root. */
  readonly contents: string;
}

/** What packages bring along that functions never use. Measured sizes are minified, in one bundle of all clients. */
const TRIMS: readonly Trim[] = [
  {
    // Files, SSO, other roles, instance metadata (100 KB): Lambda hands a function its credentials in the environment.
    // https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
    specifier: /^@aws-sdk\/credential-provider-node$/,
    contents: `
      import { fromEnv } from "@aws-sdk/credential-provider-env";
      export const defaultProvider = () => fromEnv();
    `,
  },
  {
    // The package's index brings limiters for a dozen databases (70 KB).
    specifier: /^rate-limiter-flexible$/,
    contents: `
      export { default as RateLimiterMemory } from "rate-limiter-flexible/lib/RateLimiterMemory.js";
      export { default as RateLimiterRes } from "rate-limiter-flexible/lib/RateLimiterRes.js";
    `,
  },
  {
    // zod's fifty languages (350 KB), which `import { z }` brings.
    specifier: /locales\/index\.js$/,
    within: /[/\\]node_modules[/\\]zod[/\\]/,
    contents: `export { default as en } from "zod/v4/locales/en.js";`,
  },
];

const NAMESPACE = "trimmed";

/** Puts {@link TRIMS} into a bundle. */
export function trims(root: string): Plugin {
  return {
    name: "trims",
    setup: (build) => {
      for (const [position, trim] of TRIMS.entries()) {
        build.onResolve({ filter: trim.specifier }, ({ importer, namespace }) => {
          const applies = namespace !== NAMESPACE && trim.within?.test(importer) !== false;
          return applies ? { path: String(position), namespace: NAMESPACE } : undefined;
        });
      }
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => ({
        contents: TRIMS[Number(path)]?.contents ?? "",
        resolveDir: root,
      }));
    },
  };
}
