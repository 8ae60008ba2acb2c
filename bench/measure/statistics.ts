/** The middle value, or the mean of the two in the middle; `undefined` of nothing. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  return upper === undefined || lower === undefined ? undefined : (upper + lower) / 2;
}

/** The value that a share of the values (0 to 1) does not exceed. `ascending` must not be empty. */
export function quantile(ascending: Float64Array, share: number): number {
  const position = Math.min(ascending.length - 1, Math.floor(ascending.length * share));
  const value = ascending[position];
  if (value === undefined) throw new RangeError("no values");
  return value;
}
