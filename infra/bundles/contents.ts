import type { Bundle } from "./build-bundles.ts";

const LARGEST = 20;

/** The packages that take most of a bundle, largest first; our own code counts as one. */
export function largestPackages(
  inputs: Bundle["inputs"],
): readonly { readonly name: string; readonly bytes: number }[] {
  const sizes = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? "entrepot";
    sizes.set(name, (sizes.get(name) ?? 0) + bytesInOutput);
  }
  return [...sizes]
    .map(([name, bytes]) => ({ name, bytes }))
    .toSorted((a, b) => b.bytes - a.bytes)
    .slice(0, LARGEST);
}
