import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** A cached JSON document; undefined when there is none that can be read. Losing one costs time, nothing else. */
export async function readCached<Value>(file: string): Promise<Value | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Value;
  } catch {
    return undefined;
  }
}

/** Whole or not at all, also when two processes write at once. A cache folder that cannot be written is no failure. */
export async function writeCached(file: string, contents: string | Uint8Array): Promise<void> {
  const unfinished = `${file}.${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(unfinished, contents);
    await rename(unfinished, file);
  } catch {
    return;
  }
}
