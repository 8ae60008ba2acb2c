import type { Header } from "tar-stream";

/** What stands at a path; `other` is a device or a pipe. */
export type EntryType = "file" | "directory" | "symlink" | "hardlink" | "other";

export interface TreeEntry {
  /** Without a slash at its beginning or end. */
  readonly path: string;
  readonly type: EntryType;
  /** 0 for everything but files. */
  readonly sizeBytes: number;
  /** Permission bits. */
  readonly mode: number;
  /** Position of the layer that it comes from, from 0. */
  readonly layer: number;
  /** Of a link; as it was written, it may lead anywhere. */
  readonly target?: string;
}

interface Node {
  entry: TreeEntry | undefined;
  children: Map<string, Node> | undefined;
}

/** An entry of one layer, before it meets the layers below. */
export interface LayerEntry {
  readonly segments: readonly string[];
  readonly entry: TreeEntry;
}

/** What one layer does to those below it: https://github.com/opencontainers/image-spec/blob/main/layer.md#representing-changes */
export interface LayerChanges {
  readonly entries: LayerEntry[];
  /** Paths that are gone. */
  readonly removed: (readonly string[])[];
  /** Folders of which nothing below this layer is left. */
  readonly emptied: (readonly string[])[];
}

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";
/** AUFS keeps books of its own under this prefix; they are no files of the image. */
const AUFS = ".wh..wh.";
/** Deeper than any real image. */
const MAX_DEPTH = 256;

const TYPES: Readonly<Partial<Record<string, EntryType>>> = {
  file: "file",
  "contiguous-file": "file",
  directory: "directory",
  symlink: "symlink",
  link: "hardlink",
};

/** The segments of a name in a tar archive; `undefined` for one that leads out of the root, or is no path. */
export function segmentsOf(name: string): readonly string[] | undefined {
  const segments = name.split("/").filter((segment) => segment !== "" && segment !== ".");
  const isStrange = segments.includes("..") || name.includes("\0") || segments.length > MAX_DEPTH;
  return isStrange ? undefined : segments;
}

/** Takes down an entry of a layer: a file, or a whiteout. */
export function noteEntry(
  changes: LayerChanges,
  segments: readonly string[],
  header: Header,
  layer: number,
): void {
  const name = segments.at(-1);
  if (name === undefined) return;
  const folder = segments.slice(0, -1);
  if (name === OPAQUE) changes.emptied.push(folder);
  else if (name.startsWith(AUFS)) return;
  else if (name.startsWith(WHITEOUT)) {
    changes.removed.push([...folder, name.slice(WHITEOUT.length)]);
  } else {
    const type = TYPES[header.type ?? ""] ?? "other";
    const isLink = type === "symlink" || type === "hardlink";
    const entry: TreeEntry = {
      path: segments.join("/"),
      type,
      sizeBytes: type === "file" ? header.size : 0,
      mode: (header.mode ?? 0) & 0o7777,
      layer,
      ...(isLink ? { target: (header.linkname ?? "").slice(0, 4096) } : {}),
    };
    changes.entries.push({ segments, entry });
  }
}

/** The files of an image as its layers, put one upon the other, leave them. */
export class FileTree {
  readonly #root: Node = { entry: undefined, children: undefined };

  /** Whiteouts take from the layers below only, wherever in their own layer they stand. */
  apply({ entries, removed, emptied }: LayerChanges): void {
    for (const folder of emptied) {
      const node = this.#find(folder);
      if (node !== undefined) node.children = undefined;
    }
    for (const path of removed) {
      this.#find(path.slice(0, -1))?.children?.delete(path.at(-1) ?? "");
    }
    for (const { segments, entry } of entries) this.#add(segments, entry);
  }

  /** Everything, folders that no layer names included, in the order of paths compared segment by segment. */
  list(): readonly TreeEntry[] {
    const found: TreeEntry[] = [];
    walk(this.#root, "", found);
    return found;
  }

  #find(segments: readonly string[]): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const segment of segments) node = node?.children?.get(segment);
    return node;
  }

  #add(segments: readonly string[], entry: TreeEntry): void {
    let node = this.#root;
    for (const segment of segments) {
      node.children ??= new Map();
      let next = node.children.get(segment);
      if (next === undefined) {
        next = { entry: undefined, children: undefined };
        node.children.set(segment, next);
      }
      node = next;
    }
    if (entry.type !== "directory") node.children = undefined;
    node.entry = entry;
  }
}

function walk({ children }: Node, prefix: string, found: TreeEntry[]): void {
  if (children === undefined) return;
  const names = [...children.keys()].sort();
  for (const name of names) {
    const node = children.get(name);
    if (node === undefined) continue;
    const path = prefix + name;
    found.push(node.entry ?? { path, type: "directory", sizeBytes: 0, mode: 0o755, layer: 0 });
    walk(node, `${path}/`, found);
  }
}
