import { usageError } from "./failures.ts";

/**
 * Builds a path of the API from trusted text and encoded values: whatever a user typed stays one segment.
 *
 * @example apiPath`/registries/${slug}/packages/${name}`
 * @throws {CliError} for the values that cannot be a segment: nothing, `.` and `..`.
 */
export function apiPath(literals: TemplateStringsArray, ...values: readonly string[]): string {
  return literals.reduce((path, literal, index) => {
    return path + encodeSegment(values[index - 1] ?? "") + literal;
  });
}

function encodeSegment(text: string): string {
  // URL parsers resolve lone dots away, escaped ones too, and with them another resource would be asked for.
  if (text === "" || text === "." || text === "..") {
    throw usageError(`"${text}" cannot be a name.`);
  }
  return encodeURIComponent(text);
}
