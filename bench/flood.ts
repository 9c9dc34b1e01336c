import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

/** What a flood was told: how many requests were answered, how many were refused by a limit, and how many of all were not answered well. */
export type Flooded = { answered: number; refused: number; failed: number; perSecond: number };

const FLOOD_MS = 8_000;
const program = fileURLToPath(new URL('flood-clients.ts', import.meta.url));

/** A hundred clients ask one host as fast as they are told no, for some seconds. */
export async function flood(port: number, host: string): Promise<Flooded> {
  const running = promisify(execFile)(process.execPath, [program, `${port}`, host]);
  await pause(FLOOD_MS);
  running.child.stdin?.end();
  const { stdout } = await running;
  const told = JSON.parse(stdout) as Omit<Flooded, 'perSecond'>;
  return { ...told, perSecond: ((told.answered + told.failed) * 1000) / FLOOD_MS };
}
