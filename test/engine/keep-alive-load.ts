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

/** One request, from the moment it was sent until its answer or its failure, by `performance.now()`. */
export interface Heard {
  readonly sentAt: number;
  readonly endedAt: number;
  readonly failure?: string;
}

/** How clients behave. `fresh`: a connection for each request. `heard` is told of every request. */
export interface Habit {
  readonly clients: number;
  /** A client waits anything up to this between an answer and its next request. */
  readonly pauseMs: number;
  readonly method?: 'GET' | 'POST';
  readonly fresh?: boolean;
  readonly heard?: (heard: Heard) => void;
}

const PAUSE_MS = 4;

/** Starts clients that POST over connections they keep, never retry, and count whatever goes wrong. */
export function startLoad(target: Target, clients: number, pauseMs = PAUSE_MS): Load {
  return startClients(target, { clients, pauseMs });
}

/** Starts clients of any habit. They never retry, and count whatever goes wrong. */
export function startClients(target: Target, habit: Habit): Load {
  const tally: Tally = { answered: 0, failed: [], answeredBy: new Map() };
  const control = { stopped: false };
  const running = Array.from({ length: habit.clients }, () => runClient({ target, habit, tally, control }));
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
  const answer = await connection.ask(path, 'POST');
  connection.close();
  if (answer.status !== 200) throw new Error(`answered ${answer.status}`);
  return answer.generation;
}

type Client = { target: Target; habit: Habit; tally: Tally; control: { stopped: boolean } };

async function runClient({ target, habit, tally, control }: Client): Promise<void> {
  let connection: Connection | undefined;
  while (!control.stopped) {
    const sentAt = performance.now();
    connection = connection === undefined || connection.ended ? new Connection(target) : connection;
    try {
      const { status, generation } = await connection.ask('/', habit.method ?? 'POST');
      if (status !== 200) throw new Error(`answered ${status}`);
      tally.answered += 1;
      tally.answeredBy.set(generation, (tally.answeredBy.get(generation) ?? 0) + 1);
      habit.heard?.({ sentAt, endedAt: performance.now() });
    } catch (error) {
      const failure = String(error);
      tally.failed.push(failure);
      habit.heard?.({ sentAt, endedAt: performance.now(), failure });
      connection.close();
    }
    if (habit.fresh) connection.close();
    await new Promise((resolve) => setTimeout(resolve, Math.random() * habit.pauseMs));
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

  ask(path: string, method: 'GET' | 'POST'): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting = { resolve, reject };
    this.#requests += 1;
    const body = method === 'POST' ? 'content-length: 5\r\n\r\nhello' : '\r\n';
    this.#socket.write(`${method} ${path} HTTP/1.1\r\nhost: ${this.#target.host}\r\n${body}`);
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
    if (!isWhole(head, this.#received.slice(headEnd + 4))) return;
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

/** Whether the body is there to its end, be its length announced or told in chunks. */
function isWhole(head: string, body: string): boolean {
  if (/transfer-encoding: chunked/i.test(head)) return body.endsWith('0\r\n\r\n');
  return body.length >= Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
}
