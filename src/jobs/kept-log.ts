import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { digestOfBytes, type RunId } from '../digest.ts';
import type { LogLine } from '../engine/engine.ts';

/** A line of a step, as it is kept. `cut`: what the step printed between this line's neighbours was not kept. */
export type KeptLine = LogLine & { cut?: true };

/** A step's output in a folder of its run: `<digest of the step>.<token>`; whoever owns the run writes to a file of its own. */
export type KeptLogs = { folder: string };

const folderOf = ({ folder }: KeptLogs, run: RunId): string => path.join(folder, run);

const stem = (step: string): string => digestOfBytes(step).slice(0, 16);

/** The newest file of a step; those of lower tokens hold no more. */
export async function newestOf(logs: KeptLogs, run: RunId, step: string): Promise<{ file: string; token: number } | undefined> {
  const names = await readdir(folderOf(logs, run)).catch(() => []);
  const tokens = names.flatMap((name) => {
    const [of, token, ...more] = name.split('.');
    return of === stem(step) && more.length === 0 && /^\d+$/.test(token ?? '') ? [Number(token)] : [];
  });
  if (tokens.length === 0) return undefined;
  const token = Math.max(...tokens);
  return { file: path.join(folderOf(logs, run), `${stem(step)}.${token}`), token };
}

/** What is kept of a step so far, line by line; a last line that was not written whole is left out. */
export async function* readKept(logs: KeptLogs, run: RunId, step: string): AsyncGenerator<KeptLine> {
  const newest = await newestOf(logs, run, step);
  if (newest === undefined) return;
  const lines = createInterface({ input: createReadStream(newest.file), crlfDelay: Infinity });
  for await (const line of lines) {
    const kept = parsed(line);
    if (kept) yield kept;
  }
}

export function parsed(line: string): KeptLine | undefined {
  try {
    return JSON.parse(line) as KeptLine;
  } catch {
    return undefined;
  }
}

/** A file that lines are added to. */
export type OpenLog = { add(line: KeptLine): Promise<void>; close(): Promise<void> };

/**
 * Opens a step's log for the owner with this token, with all that was kept before. An owner who has been paused meanwhile
 * goes on writing to its own file, which nobody reads any more.
 */
export async function openKept(logs: KeptLogs, { run, step, token }: { run: RunId; step: string; token: number }): Promise<OpenLog> {
  await mkdir(folderOf(logs, run), { recursive: true });
  const file = path.join(folderOf(logs, run), `${stem(step)}.${token}`);
  const former = await newestOf(logs, run, step);
  const half = await open(`${file}.half`, 'w');
  try {
    for await (const line of readKept(logs, run, step)) await half.appendFile(`${JSON.stringify(line)}\n`);
    await half.sync();
  } finally {
    await half.close();
  }
  await rename(`${file}.half`, file);
  if (former && former.token < token) await rm(former.file, { force: true });
  const handle: FileHandle = await open(file, 'a');
  return {
    add: (line) => handle.appendFile(`${JSON.stringify(line)}\n`),
    async close() {
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
  };
}

/** Forgets what is kept of all runs but these. */
export async function forgetLogs(logs: KeptLogs, kept: ReadonlySet<string>): Promise<void> {
  const runs = await readdir(logs.folder).catch(() => []);
  for (const run of runs) if (!kept.has(run)) await rm(path.join(logs.folder, run), { recursive: true, force: true });
}
