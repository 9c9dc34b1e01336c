import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { byCodeUnit } from '../canonical-json.ts';
import { digestOf, digestOfBytes, type Digest } from '../digest.ts';
import type { TreeFile } from '../engine/image.ts';

/** Files of a folder of the installed package, sorted. Only whether a file can be executed is kept of its mode. */
export async function readFolder(folder: string): Promise<TreeFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const files = await Promise.all(paths.map(async (file) => await readOne(folder, file)));
  return files.toSorted((a, b) => byCodeUnit(a.path, b.path));
}

/** What a builder has of the installed package: enough to build as it does, and to make the same builder. */
export async function readPackage(folder: string): Promise<TreeFile[]> {
  const parts = await Promise.all(
    ['dist', 'images'].map(async (part) => {
      const files = await readFolder(path.join(folder, part));
      return files.map((file) => ({ ...file, path: `${part}/${file.path}` }));
    }),
  );
  return [...parts.flat(), await readOne(folder, path.join(folder, 'package.json'))];
}

async function readOne(folder: string, file: string): Promise<TreeFile> {
  const [contents, { mode }] = await Promise.all([readFile(file), stat(file)]);
  return { path: path.relative(folder, file).split(path.sep).join('/'), contents, mode: (mode & 0o100) === 0 ? 0o644 : 0o755 };
}

/** Digest of files by name, mode and contents. */
export const digestOfFiles = (files: readonly TreeFile[]): Digest =>
  digestOf(files.map(({ path: name, contents, mode = 0o644 }) => [name, mode, digestOfBytes(contents)]));
