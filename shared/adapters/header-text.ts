/**
 * The same text, when it can stand in a response header.
 *
 * @throws {TypeError} for control characters and anything outside ASCII: names of files in other scripts
 * are written as RFC 8187 says, https://www.rfc-editor.org/rfc/rfc8187.
 */
export function headerText(text: string): string {
  if (!/^[\x20-\x7e]*$/.test(text)) throw new TypeError("a header holds printable ASCII only");
  return text;
}
