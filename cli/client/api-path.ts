/**
 * Builds a path of the API from trusted text and encoded values: whatever a user typed stays one segment.
 *
 * @example apiPath`/registries/${slug}/packages/${name}`
 */
export function apiPath(literals: TemplateStringsArray, ...values: readonly string[]): string {
  return literals.reduce((path, literal, index) => {
    return path + encodeSegment(values[index - 1] ?? "") + literal;
  });
}

/** The segments of a file's path, each encoded, with the slashes between them kept. */
export function encodePath(path: string): string {
  return path.split("/").map(encodeSegment).join("/");
}

function encodeSegment(text: string): string {
  // A lone dot or two would be resolved away by URL parsers, and with it another resource be asked for.
  return text === "." || text === ".." ? text.replaceAll(".", "%2E") : encodeURIComponent(text);
}
