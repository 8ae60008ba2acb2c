/** The order of names in lists: of their bytes, which for the names of OCI are their characters. */
export const byteOrder = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
