import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';

/** `handle`: to be given to every process that works under the lock. */
export type HeldLock = { handle: number; release: () => Promise<void> };

/**
 * Waits until nobody else holds the lock, in this process, in another one, or in another gateway on this machine. The kernel keeps
 * it for this open file and whoever has inherited it: it is free when all of them have ended, however they did, so none is ever left
 * behind as a file would be.
 */
export async function takeLock(file: string): Promise<HeldLock> {
  const handle = await open(file, 'a');
  try {
    const flock = spawn('flock', ['--exclusive', '3'], { stdio: ['ignore', 'ignore', 'ignore', handle.fd] });
    const [code] = (await once(flock, 'close')) as [number | null];
    if (code !== 0) throw Object.assign(new Error(`flock ended with ${code}`), { code: 'ELOCK' });
  } catch (error) {
    await handle.close();
    throw error;
  }
  return { handle: handle.fd, release: () => handle.close() };
}
