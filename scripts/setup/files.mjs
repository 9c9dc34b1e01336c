import { readdirSync } from 'node:fs';
import path from 'node:path';
import { rootFolder } from './processes.mjs';

/** All files below a folder of the package, as sorted paths from the package's root. */
export function filesUnder(folder) {
  const entries = readdirSync(path.join(rootFolder, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => path.relative(rootFolder, path.join(entry.parentPath ?? entry.path, entry.name))).toSorted();
}
