import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { renderAppPath } from '../../src/datapath/app-path.ts';
import { freePort, ownAddress, withSources } from '../../src/datapath/haproxy-fixture.ts';
import { parsePathLine, type PathMeasures } from '../../src/datapath/path-log.ts';
import type { Policy } from '../../src/policy.ts';

/** What the service behind the stages was asked, which is also its answer. */
export type Asked = { service: string; method: string; url: string; headers: http.IncomingHttpHeaders };

export type Answered = { status: number; headers: http.IncomingHttpHeaders; body: string; asked?: Asked };

/** `change`: of the configuration as it was rendered. */
export type Setting = { policy?: Policy; change?: (config: string) => string };

/** What is asked of the stages and the service, by headers: so that each request says what happens to it. */
const behaviour = {
  /** The stage of this name refuses it. */
  refuse: 'x-test-refuse',
  /** Each stage sends it on so many milliseconds later. */
  delayMs: 'x-test-delay-ms',
  /** Stages say these headers (JSON) in place of what they got. */
  say: 'x-test-say',
  /** Stages ask for this path. */
  path: 'x-test-path',
  /** The first stage closes every second connection without an answer. */
  drop: 'x-test-drop',
  /** The service answers so many milliseconds later. */
  answerMs: 'x-test-answer-ms',
  /** The service answers this status. */
  status: 'x-test-status',
} as const;

export const tell = (what: Partial<Record<keyof typeof behaviour, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(what).map(([key, value]) => [behaviour[key as keyof typeof behaviour], value]));

const stages = ['waf', 'auth'] as const;

/**
 * A data path with two stages and two services, run by the proxy itself. Stages are proxies as RFC 9110 wants them: they take away
 * what `Connection` names.
 */
export class Staged {
  readonly #folder: string;
  readonly #servers: http.Server[] = [];
  readonly #agent = new http.Agent({ keepAlive: true });
  readonly #ways = new Map<string, number>();
  #proxy: ChildProcess | undefined;
  #incarnation = 0;
  readonly #said: string[] = [];
  readonly #lines = new EventTarget();
  readonly measures: PathMeasures[] = [];
  /** Connections it said it cut. */
  cut = 0;
  /** What the services were asked, in order. */
  readonly asked: Asked[] = [];
  /** What the ways back said of their connections. */
  readonly connections: string[] = [];
  /** Requests that the stages have, in order. */
  readonly staged: string[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start({ policy, change = (config) => config }: Setting = {}): Promise<Staged> {
    const staged = new Staged(await mkdtemp(path.join(tmpdir(), 'staged-')));
    for (const name of stages) staged.#ways.set(name, await freePort());
    const ports = new Map<string, number>();
    for (const name of stages) ports.set(name, await staged.#listen((request, response) => staged.#pass(name, request, response)));
    for (const name of ['web', 'api'])
      ports.set(name, await staged.#listen((request, response) => staged.#answer(name, request, response)));
    await staged.#run(change(staged.#config(policy, ports)));
    return staged;
  }

  async stop(): Promise<void> {
    this.#proxy?.kill('SIGKILL');
    this.#agent.destroy();
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
    await rm(this.#folder, { recursive: true });
  }

  /** Tells the proxy to stop, and gives its exit code. */
  async drain(): Promise<number> {
    const ended = once(this.#proxy!, 'close') as Promise<[number]>;
    this.#proxy?.kill('SIGUSR1');
    return (await ended)[0];
  }

  /** A proxy of the same configuration takes the listeners over, and the one before is told to stop; resolves when it has ended. */
  async succeed(): Promise<number> {
    const before = this.#proxy!;
    const offered = readdirSync(this.#folder).find((file) => file.endsWith(`.${this.#incarnation}.sock`));
    await this.#start(['-x', path.join(this.#folder, offered ?? '')]);
    const ended = once(before, 'close') as Promise<[number]>;
    before.kill('SIGUSR1');
    return (await ended)[0];
  }

  /** The port at which a stage's way back listens. */
  wayBack(stage: (typeof stages)[number]): number {
    return this.#ways.get(stage)!;
  }

  /** A connection as the core makes it. */
  async connect(): Promise<net.Socket> {
    const socket = net.connect(path.join(this.#folder, 'front'));
    await once(socket, 'connect');
    socket.write('PROXY TCP4 192.0.2.1 127.0.0.1 1000 80\r\n');
    return socket;
  }

  async ask(options: { headers?: http.OutgoingHttpHeaders; method?: string; path?: string } = {}): Promise<Answered> {
    const socket = await this.connect();
    const { headers, ...rest } = options;
    const request = http.request({ createConnection: () => socket, ...rest, headers: { host: 'shop.localhost', ...headers } });
    request.end();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    let body = '';
    for await (const chunk of response.setEncoding('utf8')) body += String(chunk);
    socket.destroy();
    const isAsked = response.headers['x-service'] !== undefined;
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body,
      ...(isAsked && { asked: JSON.parse(body) as Asked }),
    };
  }

  /** Whether a successor finds it, to take its listeners over. */
  get isOffered(): boolean {
    return readdirSync(this.#folder).some((file) => file.endsWith('.sock'));
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#proxy?.exitCode !== null) throw new Error(`the proxy ended:\n${this.#said.join('\n')}`);
      await once(this.#lines, 'line');
    }
  }

  #config(policy: Policy | undefined, ports: ReadonlyMap<string, number>): string {
    const service = (name: string) => ({ name, port: 80, replicas: 1, health: { kind: 'tcp' } as const });
    const { proxy } = renderAppPath({
      app: 'shop',
      generation: 'a'.repeat(64),
      colour: 'blue',
      entry: 'web',
      services: [...stages, 'web', 'api'].map(service),
      stages: stages.map((name) => ({ service: name, port: this.wayBack(name) })),
      drainLimitMs: 10_000,
      ...(policy && { policy }),
    });
    return withSources(proxy)
      .replace('bind :8080', `bind unix@${path.join(this.#folder, 'front')}`)
      .replaceAll('bind :', `bind ${ownAddress}:`)
      .replaceAll('/run/changeless', this.#folder)
      .replaceAll(/server (\w+)-1 \S+ .*/g, (_, name: string) => `server ${name}-1 127.0.0.1:${ports.get(name)}`);
  }

  async #run(config: string): Promise<void> {
    await writeFile(path.join(this.#folder, 'proxy.cfg'), config);
    await this.#start([]);
  }

  async #start(words: readonly string[]): Promise<void> {
    const file = path.join(this.#folder, 'proxy.cfg');
    this.#incarnation += 1;
    this.#said.length = 0;
    const env = { ...process.env, CHANGELESS_INCARNATION: String(this.#incarnation) };
    const proxy = spawn('haproxy', ['-db', '-f', file, ...words], { env });
    this.#proxy = proxy;
    for (const stream of [proxy.stdout, proxy.stderr]) createInterface({ input: stream }).on('line', (line) => this.#hear(line));
    proxy.on('close', () => this.#lines.dispatchEvent(new Event('line')));
    await this.until(() => this.#said.some((line) => line.includes('"serving"')));
  }

  #hear(line: string): void {
    this.#said.push(line);
    const report = parsePathLine(line);
    if (report?.phase === 'draining') this.cut += report.cut ?? 0;
    if (report?.phase === 'serving' && report.measures) this.measures.push(report.measures);
    this.#lines.dispatchEvent(new Event('line'));
  }

  async #listen(answer: http.RequestListener): Promise<number> {
    const server = http.createServer(answer);
    server.on('upgrade', (request, socket, head: Buffer) => {
      const stage = stages.find((name) => this.#servers[stages.indexOf(name)] === server);
      if (stage) return this.#passUpgraded(stage, request, socket);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n');
      socket.write(head);
      return void socket.on('error', () => socket.destroy()).pipe(socket);
    });
    this.#servers.push(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port;
  }

  #pass(name: string, request: http.IncomingMessage, response: http.ServerResponse): void {
    const { headers } = request;
    this.staged.push(name);
    this.#lines.dispatchEvent(new Event('line'));
    if (headers[behaviour.drop] !== undefined && this.staged.length % 2 === 1) return void request.socket.destroy();
    if (headers[behaviour.refuse] === name) return void response.writeHead(401, { 'x-refused-by': name }).end('refused');
    setTimeout(() => this.#send(name, request, response), Number(headers[behaviour.delayMs] ?? 0));
  }

  #send(name: string, request: http.IncomingMessage, response: http.ServerResponse): void {
    const { headers, method } = request;
    const on = http.request({
      agent: this.#agent,
      host: ownAddress,
      port: this.#ways.get(name),
      method,
      path: String(headers[behaviour.path] ?? request.url),
      headers: sentOn(name, headers),
    });
    on.on('error', (error) => response.writeHead(502).end(String(error)));
    on.on('response', (answer) => {
      this.connections.push(answer.headers.connection ?? '');
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    request.pipe(on);
  }

  #passUpgraded(name: string, request: http.IncomingMessage, socket: Duplex): void {
    const headers = { ...sentOn(name, request.headers), connection: 'upgrade', upgrade: request.headers.upgrade };
    const on = http.request({ host: ownAddress, port: this.#ways.get(name), path: request.url, headers });
    on.on('upgrade', (_answer, behind: Duplex) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n');
      behind.pipe(socket).pipe(behind);
      for (const each of [behind, socket]) each.on('error', () => each.destroy());
    });
    on.on('response', () => socket.destroy()).on('error', () => socket.destroy());
    on.end();
  }

  #answer(service: string, request: http.IncomingMessage, response: http.ServerResponse): void {
    request.resume();
    const asked: Asked = { service, method: request.method ?? '', url: request.url ?? '', headers: request.headers };
    this.asked.push(asked);
    this.#lines.dispatchEvent(new Event('line'));
    const answer = (): void => {
      response.writeHead(Number(request.headers[behaviour.status] ?? 200), { 'x-service': service }).end(JSON.stringify(asked));
    };
    setTimeout(answer, Number(request.headers[behaviour.answerMs] ?? 0));
  }
}

/** Without what `Connection` names, and with the stage's name. */
function sentOn(name: string, { connection = '', ...headers }: http.IncomingHttpHeaders): http.OutgoingHttpHeaders {
  const named = new Set(connection.split(',').map((each) => each.trim().toLowerCase()));
  const kept = Object.fromEntries(Object.entries(headers).filter(([header]) => !named.has(header)));
  const said = JSON.parse(String(headers[behaviour.say] ?? '{}')) as http.OutgoingHttpHeaders;
  return { ...kept, ...said, 'x-stages': [kept['x-stages'], name].filter(Boolean).join(' ') };
}
