import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** How a store is written to, as bytes: the session's beginning, one write, and what an answer comes to. */
export type Protocol = {
  /** Sent on each new connection; it is answered before the first write. */
  greeting: Buffer;
  /** A question that changes nothing. */
  nothing: Buffer;
  write: (id: string) => Buffer;
  /** What one whole answer at the beginning of the bytes says, or undefined until there is one. `ends`: the server ends the session with it. */
  answer: (bytes: Buffer) => { length: number; error?: string; ends?: true } | undefined;
};

export type Where = { address: string; port: number };

/**
 * What came of a load. `acknowledgedAt`: the moment of each acknowledged write; `refused`: connections that were refused;
 * `errors`: answers that were none, each as the server said it; `waits`: how long each new connection took to its first answer.
 */
export type Writes = { acknowledged: Set<string>; acknowledgedAt: number[]; refused: number; errors: string[]; waits: number[] };

const WRITERS = 8;
const PAUSE_MS = 2;
/** A connection that is never answered must be counted, and not waited for. */
const PATIENCE_MS = 30_000;

/** Writers that each keep a connection, and open another one when it ends: raw clients, which know nothing of servers that start. */
export function startWriters(where: () => Where, protocol: Protocol): { writes: Writes; stop: () => Promise<Writes> } {
  const writes: Writes = { acknowledged: new Set(), acknowledgedAt: [], refused: 0, errors: [], waits: [] };
  const control = { stopped: false };
  const sessions = new Set<Session>();
  const run = Date.now().toString(36);
  const running = Array.from({ length: WRITERS }, (_, index) => write(`${run}-${index}`, { where, protocol, writes, control, sessions }));
  const stop = async (): Promise<Writes> => {
    control.stopped = true;
    const forgotten = setTimeout(() => {
      const open = [...sessions].filter(({ isOpen }) => isOpen);
      writes.errors.push(...open.map(() => `not answered within ${PATIENCE_MS} ms of the end`));
      for (const session of open) session.end();
    }, PATIENCE_MS);
    await Promise.all(running).finally(() => clearTimeout(forgotten));
    return writes;
  };
  return { writes, stop };
}

type Load = { where: () => Where; protocol: Protocol; writes: Writes; control: { stopped: boolean }; sessions: Set<Session> };

async function write(name: string, load: Load): Promise<void> {
  const { protocol, writes, control } = load;
  let session: Session | undefined;
  for (let count = 0; !control.stopped; count += 1) {
    session = session?.isOpen ? session : await begin(load);
    const id = `${name}-${count}`;
    const error = await session?.ask(protocol.write(id)).catch(() => 'the connection ended');
    if (error === undefined && session) {
      writes.acknowledged.add(id);
      writes.acknowledgedAt.push(performance.now());
    } else if (error !== 'the connection ended' && error !== undefined) writes.errors.push(error);
    await pause(PAUSE_MS);
  }
  session?.end();
}

async function begin({ where, protocol, writes, sessions }: Load): Promise<Session | undefined> {
  const began = performance.now();
  const session = new Session(where(), protocol);
  sessions.add(session);
  try {
    const error = await session.ask(protocol.greeting);
    writes.waits.push(performance.now() - began);
    if (error === undefined) return session;
    writes.errors.push(error);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ECONNREFUSED') writes.refused += 1;
    else writes.errors.push(`a new connection ended: ${String(cause)}`);
  }
  session.end();
  return undefined;
}

class Session {
  isOpen = true;
  readonly #socket: net.Socket;
  readonly #protocol: Protocol;
  #bytes = Buffer.alloc(0);
  #answered: { resolve: (error: string | undefined) => void; reject: (cause: Error) => void } | undefined;

  constructor({ address, port }: Where, protocol: Protocol) {
    this.#protocol = protocol;
    this.#socket = net.connect({ host: address, port, noDelay: true });
    this.#socket.on('data', (chunk) => this.#receive(chunk));
    this.#socket.on('error', (cause) => this.#close(cause));
    this.#socket.on('close', () => this.#close(new Error('it ended')));
  }

  /** Resolves with the error that was answered, if it was one; rejects when the connection ends before. */
  ask(bytes: Buffer): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      this.#answered = { resolve, reject };
      this.#socket.write(bytes);
    });
  }

  end(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const answer = this.#protocol.answer(this.#bytes);
    if (!answer) return;
    this.#bytes = this.#bytes.subarray(answer.length);
    if (answer.ends) this.#close(new Error(answer.error));
    else this.#answered?.resolve(answer.error);
  }

  #close(cause: Error): void {
    this.isOpen = false;
    this.#answered?.reject(cause);
  }
}

/** The longest time after `from` in which no write was acknowledged. */
export function gapOf({ acknowledgedAt }: Writes, from: number): number {
  const moments = [from, ...acknowledgedAt.filter((at) => at >= from).toSorted((a, b) => a - b)];
  return Math.max(...moments.slice(1).map((at, index) => at - (moments[index] ?? at)));
}
