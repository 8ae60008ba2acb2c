/** For `filter`: drops what is absent, in the types too. */
export function isDefined<T>(value: T | undefined): value is T {
  return value !== undefined;
}
