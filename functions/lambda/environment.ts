import * as z from "zod";
import type { Retention } from "../../shared/adapters/s3/retention.ts";

const roleGrant = z.strictObject({
  account: z.string(),
  role: z.string(),
  allow: z.enum(["pull", "publish"]),
  registries: z.array(z.string()).min(1),
});

/** Names and numbers that the stacks put into a function's environment. */
const schema = z.object({
  ENTREPOT_TABLE: z.string().min(3).max(255),
  ENTREPOT_BUCKET: z.string().min(3).max(63),
  /** KMS key (ECC_NIST_P256, SIGN_VERIFY) of npm's registry signatures; only where something is signed. */
  ENTREPOT_SIGNING_KEY: z.string().min(1).optional(),
  /** KMS key (HMAC_256) that the HMAC keys of all purposes are derived from; only where something is. */
  ENTREPOT_MAC_KEY: z.string().min(1).optional(),
  /** Origin for links in answers; the one each client used when absent. */
  ENTREPOT_BASE_URL: z
    .url({ protocol: /^https?$/ })
    .transform((url) => new URL(url).origin)
    .optional(),
  /**
   * Set where CloudFront stands in front: the generation of the key that signs upload tickets, which CloudFront knows
   * as well.
   */
  ENTREPOT_EDGE: z.coerce.number().int().min(1).optional(),
  /** What CloudFront alone knows, and sends with every request: see `edge-origin.ts`. */
  ENTREPOT_EDGE_SECRET: z.string().min(16).optional(),
  /** Set where a web ACL guards the edge: requests that did not come through it are refused. */
  ENTREPOT_EDGE_ONLY: z.literal("true").optional(),
  /** Requests a minute and instance, by token or address; 0: unlimited. */
  ENTREPOT_RATE_LIMIT: z.coerce.number().int().min(0).default(0),
  /** How long blobs are locked, as `governance:30` (days), in a bucket with Object Lock. */
  ENTREPOT_OBJECT_LOCK: z
    .string()
    .regex(/^(?:governance|compliance):[1-9]\d{0,4}$/)
    .transform((text): Retention => {
      const [mode, days] = text.split(":");
      return { mode: mode === "compliance" ? "compliance" : "governance", days: Number(days) };
    })
    .optional(),
  /** IAM roles that may exchange their identity for a token, as JSON; only in the management API. */
  ENTREPOT_IAM_GRANTS: z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: "custom", message: "is not JSON" });
        return z.NEVER;
      }
    })
    .pipe(z.array(roleGrant))
    .optional(),
  /** Set by Lambda itself: where the function runs. */
  AWS_REGION: z.string().optional(),
  /** URLs of the queues that events go to; only in the workers that send to them. */
  ENTREPOT_INDEX_QUEUE: z.url().optional(),
  ENTREPOT_WEBHOOK_QUEUE: z.url().optional(),
  /** URL of the queue of files that take longer to fetch than a request may; only in functions that ask upstreams. */
  ENTREPOT_FETCH_QUEUE: z.url().optional(),
});

export type FunctionEnvironment = z.infer<typeof schema>;

/**
 * The environment of a function, checked once at its cold start. Empty variables count as absent.
 *
 * @throws {Error} naming each variable that is wrong: the deployment is, and the function must not start.
 */
export function readEnvironment(variables: NodeJS.ProcessEnv): FunctionEnvironment {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ""));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `${String(issue.path[0] ?? "")}: ${issue.message}`,
  );
  throw new Error(`The function's environment is not valid: ${problems.join("; ")}.`);
}
