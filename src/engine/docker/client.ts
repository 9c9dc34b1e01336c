import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { DockerAddress } from './address.ts';
import { EngineFailure, hasStatus } from './failure.ts';

// An import reads every export of the module, and some of them load a second HTTP client: 50 ms at every start.
const http = process.getBuiltinModule('node:http');

/** One call of the Engine API. Objects in `query` are sent as JSON. A body is either `json` or `tar`. */
export type Call = {
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  query?: Readonly<Record<string, string | number | boolean | object | undefined>>;
  json?: unknown;
  tar?: Uint8Array | AsyncIterable<Uint8Array>;
  signal?: AbortSignal;
  /** Its answer may take as long as a container lives: it gets a connection of its own. */
  long?: boolean;
};

/** We speak from 1.41 (Docker 20.10) to 1.44 (the least that Docker 29 accepts). */
const NEWEST_API = 44;
/** The engine starts about two containers at once on two cores; more open calls than this only queue inside it. */
const CONNECTIONS = 32;

/** Docker's HTTP API over its socket. Connects on the first call; failures are thrown as EngineFailure. */
export class DockerClient {
  readonly address: DockerAddress;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  #prefix: Promise<string> | undefined;

  #engineLife = 0;

  constructor(address: DockerAddress) {
    this.address = address;
    // Docker never closes an idle connection while it lives.
    this.#agent.on('free', (socket: Socket) => {
      if (socket.listenerCount('close', this.#mayHaveRestarted) === 0) socket.once('close', this.#mayHaveRestarted);
    });
  }

  /** Grows whenever the engine may have restarted: a connection was lost, or none could be made. */
  get engineLife(): number {
    return this.#engineLife;
  }

  readonly #mayHaveRestarted = (): void => {
    this.#engineLife += 1;
  };

  /** The answer with its body unread. Throws on every status from 400. */
  async stream(call: Call): Promise<IncomingMessage> {
    this.#prefix ??= this.#negotiate();
    const prefix = await this.#prefix.catch((error: unknown) => {
      this.#prefix = undefined;
      throw error;
    });
    return this.#answer(call, prefix);
  }

  async bytes(call: Call): Promise<Buffer> {
    return readAll(await this.stream(call));
  }

  /** The parsed body; undefined when there is none. */
  async json<T>(call: Call): Promise<T> {
    return parsed<T>(await this.bytes(call));
  }

  /** The parsed body, or undefined when what was asked for is not there (404). */
  async find<T>(call: Call): Promise<T | undefined> {
    try {
      return await this.json<T>(call);
    } catch (error) {
      if (hasStatus(error, 404)) return undefined;
      throw error;
    }
  }

  /** Does it; false when it answers one of `expected` instead of success. */
  async did(call: Call, ...expected: number[]): Promise<boolean> {
    try {
      await this.bytes(call);
      return true;
    } catch (error) {
      if (hasStatus(error, ...expected)) return false;
      throw error;
    }
  }

  // `/_ping` says the newest version that the engine speaks, in a tenth of the time that `/version` takes.
  async #negotiate(): Promise<string> {
    const pong = await this.#answer({ path: '/_ping' }, '');
    await readAll(pong);
    const newest = minorOf(String(pong.headers['api-version'] ?? ''), NEWEST_API);
    return `/v1.${newest <= NEWEST_API ? newest : Math.max(NEWEST_API, await this.#oldest())}`;
  }

  async #oldest(): Promise<number> {
    const version = parsed<{ MinAPIVersion?: string }>(await readAll(await this.#answer({ path: '/version' }, '')));
    return minorOf(version.MinAPIVersion ?? '', 0);
  }

  async #answer(call: Call, prefix: string): Promise<IncomingMessage> {
    const response = await this.#send(call, prefix);
    const status = response.statusCode ?? 0;
    if (status < 400) return response;
    const text = (await readAll(response)).toString();
    // An engine that was replaced meanwhile may have stopped speaking the agreed version.
    if (status === 400 && text.includes('client version')) this.#prefix = undefined;
    throw new EngineFailure(messageIn(text), { status });
  }

  #send(call: Call, prefix: string, again = false): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const fresh = again && { agent: false as const };
      const request = http.request({ ...this.#target(call, prefix), ...(call.signal && { signal: call.signal }), ...fresh });
      let isAnswered = false;
      request.once('response', (response) => {
        isAnswered = true;
        response.once('error', this.#mayHaveRestarted);
        resolve(response);
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        if (isAnswered) return; // Its reader learns of it.
        if (call.signal?.aborted) reject(error);
        // The engine closed an idle connection just when we used it: once more, on one that was not idle. All verbs may be repeated.
        else if (request.reusedSocket && !again && isWhole(call)) resolve(this.#send(call, prefix, true));
        else reject(this.#unanswered(error));
      });
      writeBody(request, call);
    });
  }

  #target(call: Call, prefix: string): RequestOptions {
    const { address } = this;
    const headers =
      call.json !== undefined ? { 'content-type': 'application/json' } : call.tar ? { 'content-type': 'application/x-tar' } : {};
    return {
      ...('socketPath' in address ? { socketPath: address.socketPath } : { host: address.host, port: address.port }),
      method: call.method ?? 'GET',
      path: `${prefix}${call.path}${queryText(call.query)}`,
      headers,
      agent: call.long ? false : this.#agent,
    };
  }

  #unanswered(error: NodeJS.ErrnoException): EngineFailure {
    this.#prefix = undefined;
    this.#mayHaveRestarted();
    return new EngineFailure(`${this.address.text}: ${error.message}`, { code: error.code ?? 'UNKNOWN', cause: error });
  }
}

const isWhole = (call: Call): boolean => call.tar === undefined || call.tar instanceof Uint8Array;

const minorOf = (version: string, otherwise: number): number => Number(version.split('.')[1] ?? otherwise);

function writeBody(request: ClientRequest, call: Call): void {
  if (call.json !== undefined) request.end(JSON.stringify(call.json));
  else if (call.tar === undefined || call.tar instanceof Uint8Array) request.end(call.tar);
  else
    Readable.from(call.tar)
      .on('error', (cause) => request.destroy(cause))
      .pipe(request);
}

function queryText(query: Call['query']): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) words.append(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  return words.size === 0 ? '' : `?${words.toString()}`;
}

/** A stream of JSON values, one per line, as they come. */
export async function* jsonLines<T>(response: IncomingMessage): AsyncGenerator<T> {
  let rest = '';
  response.setEncoding('utf8');
  for await (const chunk of bodyOf(response)) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as T;
  }
  if (rest.trim() !== '') yield JSON.parse(rest) as T;
}

/** A body whose breaking off is an EngineFailure. */
export async function* bodyOf(response: IncomingMessage): AsyncGenerator<Buffer | string> {
  try {
    for await (const chunk of response) yield chunk as Buffer | string;
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'UNKNOWN';
    throw new EngineFailure(`the engine broke off its answer: ${(error as Error).message}`, { code, cause: error });
  }
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of bodyOf(response)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const parsed = <T>(body: Buffer): T => (body.length === 0 ? undefined : JSON.parse(body.toString())) as T;

function messageIn(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    return text.trim();
  }
}
