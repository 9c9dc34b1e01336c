import { once } from 'node:events';
import net from 'node:net';
import type { RecordingOrigin } from './recording-origin.ts';
import type { Front } from './smuggling-check.ts';
import type { StrictReading } from './strict-request.ts';

/** A reader as there are many: what is nearly right is right, and a length it does not understand is none. */
export function readLeniently(text: string, believes: 'length' | 'chunks'): StrictReading {
  const match = /^\s*(\S+)\s+(\S+)[^\n]*\n([^]*?)\r?\n\r?\n/.exec(text);
  if (!match) return 'more';
  const [head, method = '', target = '', fields = ''] = match;
  const isChunked = /transfer.encoding[^\n]*chunk/i.test(fields);
  const length = Number.parseInt(/content.length\s*:\s*(\d*)/i.exec(fields)?.[1] ?? '', 10) || 0;
  const body = isChunked && believes === 'chunks' ? Math.max(0, text.indexOf('0\r\n\r\n', head.length) + 5 - head.length) : length;
  return text.length < head.length + body ? 'more' : { method, target, head, length: head.length + body };
}

/** A proxy that believes lengths, before a service that believes chunks: what both get is the same bytes. */
export async function startNaively(origin: RecordingOrigin, host: string): Promise<{ front: Front; stop: () => void }> {
  const noted: string[] = [];
  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    const service = net.connect(origin.socket());
    let text = '';
    client.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let read = readLeniently(text, 'length'); typeof read === 'object' && 'length' in read; read = readLeniently(text, 'length')) {
        noted.push(read.target);
        text = text.slice(read.length);
      }
    });
    client.pipe(service).pipe(client);
    client.on('error', () => service.destroy());
    service.on('error', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const connect = async (): Promise<net.Socket> => {
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  };
  return { front: { host, origin, connect, readers: () => Promise.resolve({ proxy: noted }) }, stop: () => server.close() };
}
