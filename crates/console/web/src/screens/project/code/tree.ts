// The tree of a source's files: folders and files as the rows that are seen.

export interface FileEntry {
  path: string;
  size: number;
  language: string | null;
}

export interface Row {
  kind: "folder" | "file";
  /** What the row says: a name, or a chain of folders that hold nothing but the next one. */
  name: string;
  path: string;
  /** From 1. */
  level: number;
  /** Its place among the rows below the same folder, from 1, and how many those are. */
  place: number;
  among: number;
  open: boolean;
}

interface Folder {
  path: string;
  folders: Map<string, Folder>;
  files: { name: string; path: string }[];
}

const folder = (path: string): Folder => ({ path, folders: new Map(), files: [] });

export function treeOf(files: readonly FileEntry[]): Folder {
  const root = folder("");
  for (const { path } of files) {
    const names = path.split("/");
    const name = names.pop() ?? path;
    let at = root;
    for (const one of names) {
      let next = at.folders.get(one);
      if (!next) {
        next = folder(at.path ? `${at.path}/${one}` : one);
        at.folders.set(one, next);
      }
      at = next;
    }
    at.files.push({ name, path });
  }
  return root;
}

const byName = new Intl.Collator("en", { numeric: true }).compare;

/** The rows of a tree with some folders open: folders first, each by name. */
export function rowsOf(root: Folder, open: ReadonlySet<string>): Row[] {
  const rows: Row[] = [];
  const walk = (at: Folder, level: number) => {
    const among = at.folders.size + at.files.length;
    let place = 0;
    for (const [first, child] of [...at.folders].sort(([a], [b]) => byName(a, b))) {
      let [name, last] = [first, child];
      // A folder that holds one folder and nothing else is one row with it.
      while (last.files.length === 0 && last.folders.size === 1) {
        const [[inner, next]] = last.folders as unknown as [[string, Folder]];
        name = `${name}/${inner}`;
        last = next;
      }
      place += 1;
      const isOpen = open.has(last.path);
      rows.push({ kind: "folder", name, path: last.path, level, place, among, open: isOpen });
      if (isOpen) walk(last, level + 1);
    }
    for (const file of [...at.files].sort((a, b) => byName(a.name, b.name))) {
      place += 1;
      rows.push({ kind: "file", name: file.name, path: file.path, level, place, among, open: false });
    }
  };
  walk(root, 1);
  return rows;
}

/** The folders above a path. */
export function above(path: string): string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}

/** The files whose path has every word, those that have it in their own name first. */
export function matching(files: readonly FileEntry[], words: string): Row[] {
  const wanted = words.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const found: { path: string; rank: number }[] = [];
  for (const { path } of files) {
    const low = path.toLocaleLowerCase();
    if (!wanted.every((word) => low.includes(word))) continue;
    const name = low.slice(low.lastIndexOf("/") + 1);
    found.push({ path, rank: wanted.every((word) => name.includes(word)) ? 0 : 1 });
  }
  found.sort((a, b) => a.rank - b.rank);
  return found.map(({ path }, index) => ({
    kind: "file", name: path, path, level: 1, place: index + 1, among: found.length, open: false,
  }));
}
