import { connect, type Socket } from 'node:net';

/** What a load has seen so far. `failed` holds one sentence for each request that got no good answer. */
export interface Tally {
  answered: number;
  readonly failed: string[];
  readonly answeredBy: Map<string, number>;
}

export interface Target {
  readonly address: string;
  readonly port: number;
  readonly host: string;
}

/** A load that runs until it is stopped; `stop` resolves when every client has its last answer. */
export interface Load {
  readonly tally: Tally;
  stop(): Promise<void>;
}

/** How long a client waits between an answer and its next request: anything up to this. */
const PAUSE_MS = 4;

/** Starts clients that POST over connections they keep, never retry, and count whatever goes wrong. */
export function startLoad(target: Target, clients: number, pauseMs = PAUSE_MS): Load {
  const tally: Tally = { answered: 0, failed: [], answeredBy: new Map() };
  const control = { stopped: false, pauseMs };
  const running = Array.from({ length: clients }, () => runClient(target, tally, control));
  return {
    tally,
    stop: async () => {
      control.stopped = true;
      await Promise.all(running);
    },
  };
}

/** Asks once, on a connection of its own, and resolves with the generation that answered. */
export async function ask(target: Target, path = '/'): Promise<string> {
  const connection = new Connection(target);
  const answer = await connection.post(path);
  connection.close();
  if (answer.status !== 200) throw new Error(`answered ${answer.status}`);
  return answer.generation;
}

async function runClient(target: Target, tally: Tally, control: { stopped: boolean; pauseMs: number }): Promise<void> {
  let connection: Connection | undefined;
  while (!control.stopped) {
    connection = connection === undefined || connection.ended ? new Connection(target) : connection;
    try {
      const { status, generation } = await connection.post('/');
      if (status !== 200) throw new Error(`answered ${status}`);
      tally.answered += 1;
      tally.answeredBy.set(generation, (tally.answeredBy.get(generation) ?? 0) + 1);
    } catch (error) {
      tally.failed.push(String(error));
      connection.close();
    }
    await new Promise((resolve) => setTimeout(resolve, Math.random() * control.pauseMs));
  }
  connection?.close();
}

interface Answer {
  readonly status: number;
  readonly generation: string;
}

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** One HTTP/1.1 connection, by hand: an HTTP client of any library would hide what is looked for here. */
class Connection {
  ended = false;
  readonly #target: Target;
  readonly #socket: Socket;
  #received = '';
  #waiting: Waiting | undefined;
  #requests = 0;

  constructor(target: Target) {
    this.#target = target;
    this.#socket = connect({ host: target.address, port: target.port, noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#receive(text));
    this.#socket.on('error', (error) => this.#end(error.message));
    this.#socket.on('close', () => this.#end('closed'));
    this.#socket.setTimeout(10_000, () => this.#end('no answer in 10 s'));
  }

  post(path: string): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting = { resolve, reject };
    this.#requests += 1;
    this.#socket.write(`POST ${path} HTTP/1.1\r\nhost: ${this.#target.host}\r\ncontent-length: 5\r\n\r\nhello`);
    return promise;
  }

  close(): void {
    this.ended = true;
    this.#socket.destroy();
  }

  #receive(text: string): void {
    this.#received += text;
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd === -1) return;
    const head = this.#received.slice(0, headEnd);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#received.length < headEnd + 4 + length) return;
    this.#received = '';
    // What is announced is no loss: the client knows that its next request needs another connection.
    if (/connection: close/i.test(head)) this.close();
    const generation = /x-served-by: (\S+)/i.exec(head)?.[1] ?? '';
    this.#waiting?.resolve({ status: Number(head.slice(9, 12)), generation });
    this.#waiting = undefined;
  }

  #end(why: string): void {
    this.ended = true;
    this.#waiting?.reject(new Error(`request ${this.#requests} of its connection: ${why}`));
    this.#waiting = undefined;
    this.#socket.destroy();
  }
}
