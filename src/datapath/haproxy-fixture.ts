import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LIBRARY } from './path-config.ts';

/** Why a test with the proxy itself is skipped; false where the proxy is here. */
export const skip = spawnSync('haproxy', ['-v']).status === 0 ? false : 'haproxy is not installed here';

const sources = fileURLToPath(new URL('../../images/proxy', import.meta.url));

/** A configuration with this checkout's Lua files in place of the image's. */
export const withSources = (config: string): string => config.replaceAll(LIBRARY, sources);

const { pid } = process;

/** A loopback address of this process alone: HAProxy shares a port with another one's HAProxy without a word. */
export const ownAddress = `127.${64 + ((pid >> 16) & 63)}.${(pid >> 8) & 255}.${pid & 255}`;

/** A port of `ownAddress` that nobody has just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await portOf(server, ownAddress);
  server.close();
  await once(server, 'close');
  return port;
}

/** Has a server listen on a loopback address, and gives where. */
export async function portOf(server: Server, address = '127.0.0.1'): Promise<number> {
  await once(server.listen(0, address), 'listening');
  return (server.address() as AddressInfo).port;
}

/** What is run until the test is over, in a folder that goes with it. */
export type ProxyRun = { folder: string; config: string; env?: Readonly<Record<string, string>> };

/** Runs the proxy with a configuration; the lines are what it says. */
export function runProxy(
  story: TestContext,
  { folder, config, env = {} }: ProxyRun,
): { haproxy: ChildProcess; lines: AsyncIterator<string> } {
  const file = path.join(folder, 'run.cfg');
  writeFileSync(file, withSources(config));
  const haproxy = spawn('haproxy', ['-db', '-f', file], { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  story.after(() => {
    haproxy.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });
  return { haproxy, lines: createInterface({ input: haproxy.stderr })[Symbol.asyncIterator]() };
}

/** Resolves when a line says the text. */
export async function said(lines: AsyncIterator<string>, text: string): Promise<void> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the proxy ended and never said ${text}`);
    if (value.includes(text)) return;
  }
}
