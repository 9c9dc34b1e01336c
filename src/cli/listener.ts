import { readdir, readFile, readlink } from 'node:fs/promises';

/** A listening socket of the kernel's table: address as in /proc/net/tcp, in hex. */
export type Listener = { address: string; port: number; inode: string };

const LISTEN = '0A';

/** Listening sockets in the text of /proc/net/tcp or tcp6. */
export function parseListeners(table: string): Listener[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line): Listener[] => {
      const columns = line.trim().split(/\s+/);
      const [address = '', port = ''] = (columns[1] ?? '').split(':');
      return columns[3] === LISTEN ? [{ address, port: Number.parseInt(port, 16), inode: columns[9] ?? '' }] : [];
    });
}

/** Whether a listener stands in the way of publishing: the same address, or one of them is all addresses. */
export function collides(listener: Listener, publish: { address: string; port: number }): boolean {
  if (listener.port !== publish.port) return false;
  const everywhere = /^0+$/.test(listener.address) || ['0.0.0.0', '::', ''].includes(publish.address);
  return everywhere || listener.address.endsWith(hexAddress(publish.address));
}

/** An IPv4 address as the kernel prints it: bytes in reverse. */
const hexAddress = (address: string): string =>
  address
    .split('.')
    .toReversed()
    .map((byte) => Number(byte).toString(16).padStart(2, '0').toUpperCase())
    .join('');

/** Which process of this machine listens there, in words; undefined when none does or it cannot be told here. */
export async function listenerOn(publish: { address: string; port: number }): Promise<string | undefined> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')));
  const listener = tables.flatMap(parseListeners).find((candidate) => collides(candidate, publish));
  if (listener === undefined) return undefined;
  return (await processWith(listener.inode)) ?? 'a process of another user';
}

async function processWith(inode: string): Promise<string | undefined> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of processes) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const links = await Promise.all(descriptors.map((descriptor) => readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '')));
    if (!links.includes(`socket:[${inode}]`)) continue;
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
    return `process ${pid} (${name.trim()})`;
  }
  return undefined;
}
