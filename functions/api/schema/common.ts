import * as z from "zod";
import { SLUG_PATTERN } from "../../../shared/domain/registry.ts";

/** Objects of the API refuse fields that they do not know: a misspelt option must not be silently ignored. */
export const closed = z.strictObject;

const ONE_LINE = /^[^\p{Cc}\p{Cs}]*$/u;
const LINES = /^(?:[^\p{Cc}\p{Cs}]|[\t\n])*$/u;

/** One line of text: no control characters, which logs, headers and keys cannot hold. */
export const line = (minLength: number, maxLength: number) =>
  z
    .string()
    .min(minLength)
    .max(maxLength)
    .refine((text) => ONE_LINE.test(text), "holds control characters or broken Unicode")
    // For the OpenAPI document in a dialect that all of its readers know.
    .meta({ pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f]*$" });

/** Several lines of text. */
export const prose = (minLength: number, maxLength: number) =>
  z
    .string()
    .min(minLength)
    .max(maxLength)
    .refine((text) => LINES.test(text), "holds control characters or broken Unicode")
    .meta({ pattern: "^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f]*$" });

/** What names a registry or an upstream; `what` is it called where. */
export const slugText = (what: "slug" | "key") =>
  z
    .string()
    .regex(
      SLUG_PATTERN,
      `is not a ${what}: use 1 to 63 of a-z, 0-9, - and _, with dashes, or one or two underscores, between letters or digits`,
    );

export const time = z.iso.datetime({ offset: true }).meta({
  description: "A time in ISO 8601 with its zone.",
  examples: ["2026-01-31T12:00:00.000Z"],
});

export const bytes = z.int().min(0).meta({ description: "A number of bytes." });
export const count = z.int().min(0);

export const slugParam = line(1, 63).meta({ description: "The registry's slug." });
export const packageParam = line(1, 220).meta({
  description:
    "The package's name, encoded as one segment (`@scope%2fname`). A raw slash behind a scope is understood too, unless a package is called `versions`, `tags` or `restore`.",
});
export const versionParam = line(1, 256).meta({ description: "The version." });

export const limit = z.coerce
  .number<string>()
  .pipe(z.int().min(1).max(100))
  .default(50)
  .meta({ description: "Most items of one page.", type: "integer", minimum: 1, maximum: 100 });

export const cursor = line(1, 12_100).optional().meta({
  description: "`nextCursor` of the page before. Only good for the same query.",
});

/** Query of a list without filters. */
export const pageQuery = closed({ limit, cursor });

/** A page of a list. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  closed({
    items: z.array(item),
    nextCursor: z.string().optional().meta({
      description: "Absent on the last page. A page may be short, or empty, and have one.",
    }),
  });

export const problem = closed({
  type: z.string().meta({ examples: ["urn:entrepot:error:not-found"] }),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  requestId: z.string(),
  issues: z.array(closed({ at: z.string(), problem: z.string() })).optional(),
}).meta({ id: "Problem", description: "RFC 9457; what was wrong, with what, and what to do." });

/** What zod read, without fields that are `undefined`, in the types too: services tell absent from undefined. */
export type Present<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };

export function present<T extends object>(value: T): Present<T>;
export function present(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));
}
