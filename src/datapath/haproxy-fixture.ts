import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { LIBRARY } from './path-config.ts';

/** Why a test with the proxy itself is skipped; false where the proxy is here. */
export const skip = spawnSync('haproxy', ['-v']).status === 0 ? false : 'haproxy is not installed here';

const sources = fileURLToPath(new URL('../../images/proxy', import.meta.url));

/** A configuration with this checkout's Lua files in place of the image's. */
export const withSources = (config: string): string => config.replaceAll(LIBRARY, sources);

/** A port of the loopback address that nobody has just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await portOf(server);
  server.close();
  return port;
}

/** Has a server listen on the loopback address, and gives where. */
export async function portOf(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}
