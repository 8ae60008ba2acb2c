import { fileURLToPath } from "node:url";
import { type BuildOptions, buildSync } from "esbuild";
import { INLINE_LIMIT_BYTES } from "../../functions/lambda/limits.ts";
import { DIRECT_PREFIX } from "../../shared/adapters/s3/s3-keys.ts";
import { INGEST_ORIGIN, LOCATION_HEADER, TICKET_SLOTS, UPLOADS_ORIGIN } from "./names.ts";

/** https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html */
export const MAX_FUNCTION_BYTES = 10_240;

/**
 * What runtime 2.0 adds to ECMAScript 5.1; the build fails for anything else that cannot be put in simpler words.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html
 */
const SUPPORTED: NonNullable<BuildOptions["supported"]> = {
  "const-and-let": true,
  arrow: true,
  "async-await": true,
  "template-literal": true,
};

/** What is decided when the code is made. */
export interface EdgeFunctionOptions {
  /** Something takes uploads of any length. */
  readonly hasIngest: boolean;
  /** The bucket is told the sha256 with the upload; otherwise the bytes are checked when they are published. */
  readonly hasChecksumHeader: boolean;
}

/**
 * The code of a CloudFront function, with everything that it imports of ours.
 *
 * @throws {Error} when it is larger than CloudFront takes, or uses what its runtime does not have.
 */
export function bundleEdgeFunction(
  name: "viewer-request" | "viewer-response",
  options: EdgeFunctionOptions,
): string {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL(`${name}.ts`, import.meta.url))],
    bundle: true,
    write: false,
    format: "esm",
    target: "es5",
    supported: SUPPORTED,
    external: ["cloudfront", "crypto"],
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    charset: "ascii",
    define: definitions(options),
  });
  const text = outputFiles[0]?.text ?? "";
  // The runtime calls the top-level function `handler` and knows no exports.
  const code = text.replace(/export\{handler\};?\s*$/, "");
  if (code === text) throw new Error(`${name} exports something else than \`handler\``);
  if (Buffer.byteLength(code) > MAX_FUNCTION_BYTES) {
    throw new Error(`${name} has ${Buffer.byteLength(code)} bytes, and CloudFront takes 10,240`);
  }
  return code;
}

function definitions(options: EdgeFunctionOptions): Record<string, string> {
  const values = {
    INLINE_LIMIT_BYTES,
    HAS_INGEST: options.hasIngest,
    HAS_CHECKSUM_HEADER: options.hasChecksumHeader,
    DIRECT_PREFIX,
    LOCATION_HEADER,
    UPLOADS_ORIGIN,
    INGEST_ORIGIN,
    TICKET_SLOT_EVEN: TICKET_SLOTS[0],
    TICKET_SLOT_ODD: TICKET_SLOTS[1],
  };
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, JSON.stringify(value)]),
  );
}
