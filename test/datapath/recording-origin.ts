import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { StrictReading } from './strict-request.ts';

/** How a service reads a connection's bytes. */
export type Reader = (text: string) => StrictReading;

/** A service behind a data path, which notes every request it is sent and all that it should not have been sent. */
export class RecordingOrigin {
  readonly folder: string;
  /** The targets of its requests, and the bytes of the requests themselves. */
  readonly targets: string[] = [];
  readonly requests: string[] = [];
  readonly violations: { what: string; text: string }[] = [];
  readonly #read: Reader;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(folder: string, read: Reader) {
    this.folder = folder;
    this.#read = read;
    this.#server = net.createServer((socket) => this.#serve(socket));
  }

  static async start(read: Reader): Promise<RecordingOrigin> {
    const origin = new RecordingOrigin(await mkdtemp(path.join(tmpdir(), 'origin-')), read);
    origin.#server.listen(origin.socket());
    await once(origin.#server, 'listening');
    return origin;
  }

  async stop(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await rm(this.folder, { recursive: true });
  }

  /** One for all services: whichever is asked, none is to see what a rule kept from it. */
  socket(): string {
    return path.join(this.folder, 'origin.sock');
  }

  #serve(socket: net.Socket): void {
    this.#sockets.add(socket);
    let rest = '';
    socket.on('error', () => socket.destroy()).on('close', () => this.#sockets.delete(socket));
    socket.setEncoding('latin1').on('data', (more: string) => {
      rest += more;
      for (let read = this.#read(rest); read !== 'more' && rest !== ''; read = this.#read(rest)) {
        if ('violation' in read) {
          this.violations.push({ what: read.violation, text: rest });
          rest = '';
          return void socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
        }
        this.targets.push(read.target);
        this.requests.push(rest.slice(0, read.length));
        rest = rest.slice(read.length);
        // Who gets it can tell whether it was meant for him.
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${read.method === 'HEAD' ? 0 : read.target.length}\r\n\r\n${read.target}`);
      }
    });
  }
}
