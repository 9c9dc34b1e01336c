import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { withSources } from '../../src/datapath/haproxy-fixture.ts';
import type { PolicyInput } from '../../src/architecture/authoring.ts';
import { normalisePolicy } from '../../src/architecture/policy-normalise.ts';
import { policy as schema } from '../../src/architecture/policy-schema.ts';
import { renderAppPath } from '../../src/datapath/app-path.ts';
import { metricsPort } from '../../src/metrics-port.ts';
import { parsePathLine, type PathMeasures } from '../../src/datapath/path-log.ts';

export type Ask = {
  path?: string;
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** The address the core says the client has. */
  source?: string;
};

export type Told = { status: number; headers: http.IncomingHttpHeaders; body: string; seen?: Seen };

/** What a service was asked. */
export type Seen = { service: string; url: string; headers: http.IncomingHttpHeaders };

/** Two services that say what they were asked, each at a socket of its own. */
export class Services {
  readonly folder: string;
  readonly #servers: http.Server[] = [];
  /** Clients of one data path whose first request was treated otherwise. */
  readonly #met = new Map<string, number>();
  /** Data paths in front of them that nobody has stopped, because their test was given up. */
  readonly proxies = new Set<ChildProcess>();

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async start(): Promise<Services> {
    const services = new Services(await mkdtemp(path.join(tmpdir(), 'path-')));
    for (const name of ['web', 'api']) await services.#listen(name);
    return services;
  }

  async stop(): Promise<void> {
    for (const proxy of this.proxies) proxy.kill('SIGKILL');
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
    await rm(this.folder, { recursive: true });
  }

  socket(service: string): string {
    return path.join(this.folder, `${service}.sock`);
  }

  async #listen(service: string): Promise<void> {
    const server = http.createServer((request, response) => this.#answer(service, request, response));
    server.on('upgrade', (_request, socket: Duplex) => {
      socket.on('error', () => socket.destroy());
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n');
      socket.pipe(socket);
    });
    this.#servers.push(server);
    server.listen(this.socket(service));
    await once(server, 'listening');
  }

  #answer(service: string, request: http.IncomingMessage, response: http.ServerResponse): void {
    const { pathname, searchParams } = new URL(`http://service${request.url ?? ''}`);
    request.resume();
    if (pathname === '/drop' && this.#isOdd(request)) return void request.socket.destroy();
    if (pathname === '/slow-once' && this.#isOdd(request)) return;
    if (pathname === '/text') {
      const text = 'a'.repeat(Number(searchParams.get('bytes')));
      return void response
        .writeHead(200, { 'content-type': searchParams.get('type') ?? 'text/plain', 'content-length': text.length })
        .end(text);
    }
    const answer = (): void => {
      const seen: Seen = { service, url: request.url ?? '', headers: request.headers };
      response.writeHead(200, { 'content-type': 'application/json', server: 'theirs' }).end(JSON.stringify(seen));
    };
    setTimeout(answer, Number(searchParams.get('afterMs')));
  }

  /** Whether it is the first, third and so on of its data path. */
  #isOdd({ headers }: http.IncomingMessage): boolean {
    const path = String(headers['x-path']);
    const count = (this.#met.get(path) ?? 0) + 1;
    this.#met.set(path, count);
    return count % 2 === 1;
  }
}

/** `output`: an open file that takes its standard output, where that is not read here. `dead`: of each service one more that refuses. */
export type Start = { output?: number | 'pipe'; dead?: boolean };

/** An app's data path with a policy, run by the proxy itself, at a socket. */
export class Proxied {
  readonly #child: ChildProcess;
  readonly #socket: string;
  readonly #metrics: string;
  readonly said: string[] = [];
  /** Its access log. */
  readonly logged: string[] = [];
  readonly measures: PathMeasures[] = [];
  readonly #lines = new EventTarget();

  private constructor(child: ChildProcess, { socket, metrics }: { socket: string; metrics: string }) {
    this.#child = child;
    this.#socket = socket;
    this.#metrics = metrics;
    for (const stream of [child.stdout, child.stderr])
      if (stream)
        createInterface({ input: stream }).on('line', (line) => {
          this.said.push(line);
          if (stream === child.stdout) this.logged.push(line);
          const report = parsePathLine(line);
          if (report?.phase === 'serving' && report.measures) this.measures.push(report.measures);
          this.#lines.dispatchEvent(new Event('line'));
        });
    child.on('close', () => this.#lines.dispatchEvent(new Event('line')));
  }

  static async start(services: Services, policy: PolicyInput | undefined, { output = 'pipe', dead = false }: Start = {}): Promise<Proxied> {
    const name = `path-${(count += 1)}`;
    const socket = services.socket(name);
    const file = path.join(services.folder, `${name}.cfg`);
    await writeFile(
      file,
      configOf(services, policy, dead)
        .replace('bind :8080', `bind unix@${socket}`)
        .replace(`bind :${metricsPort}`, `bind unix@${services.socket(`${name}-metrics`)}`)
        .replaceAll('/run/changeless', services.folder),
    );
    const child = spawn('haproxy', ['-db', '-f', file], {
      env: { ...process.env, CHANGELESS_INCARNATION: name },
      stdio: ['ignore', output, 'pipe'],
    });
    services.proxies.add(child);
    child.on('close', () => services.proxies.delete(child));
    const proxied = new Proxied(child, { socket, metrics: services.socket(`${name}-metrics`) });
    await proxied.until(() => proxied.said.some((line) => line.includes('"serving"')));
    return proxied;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#child.exitCode !== null) throw new Error(`the proxy ended:\n${this.said.join('\n')}`);
      await once(this.#lines, 'line');
    }
  }

  /** A connection as the core makes it. */
  async connect(source = '192.0.2.1'): Promise<net.Socket> {
    const socket = net.connect(this.#socket);
    await once(socket, 'connect');
    const isSix = source.includes(':');
    socket.write(`PROXY TCP${isSix ? 6 : 4} ${source} ${isSix ? '::1' : '127.0.0.1'} 1000 80\r\n`);
    return socket;
  }

  /** One request over a connection of its own. */
  async ask({ path: url = '/', method = 'GET', headers = {}, body, source }: Ask = {}): Promise<Told> {
    const socket = await this.connect(source);
    const request = http.request({
      createConnection: () => socket,
      path: url,
      method,
      headers: { host: 'shop.localhost', 'x-path': this.#socket, ...headers },
    });
    const answered = once(request, 'response') as Promise<[http.IncomingMessage]>;
    request.end(body);
    const [response] = await answered;
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
    socket.destroy();
    const { statusCode = 0, headers: answer } = response;
    const isSeen = statusCode === 200 && answer['content-type'] === 'application/json' && answer['content-encoding'] === undefined;
    return { status: statusCode, headers: answer, body: text, ...(isSeen && { seen: JSON.parse(text) as Seen }) };
  }

  /** What it shows to Prometheus. */
  async metrics(path = '/metrics'): Promise<{ status: number; body: string }> {
    const request = http.get({ socketPath: this.#metrics, path });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    let body = '';
    for await (const chunk of response.setEncoding('utf8')) body += String(chunk);
    return { status: response.statusCode ?? 0, body };
  }

  async ended(): Promise<void> {
    await once(this.#child, 'close');
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** What comes back for bytes sent in parts, so many milliseconds after one another, until the other side is done or has said enough. */
  async exchange(parts: readonly string[], options: { afterMs: number; until: RegExp }): Promise<string> {
    const socket = await this.connect();
    let text = '';
    let isOver = false;
    const over = new Promise<void>((resolve) => {
      const end = (): void => {
        isOver = true;
        resolve();
      };
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (options.until.test(text)) end();
      });
      socket.on('close', end).on('error', end).on('end', end);
    });
    for (const [index, part] of parts.entries()) {
      if (index > 0) await Promise.race([over, new Promise((resolve) => setTimeout(resolve, options.afterMs))]);
      if (!isOver) socket.write(part);
    }
    await over;
    socket.destroy();
    return text;
  }
}

let count = 0;

/** Its checks come so rarely that nobody learns of its death but who asks it. */
const UNNOTICED = 'inter 1h fastinter 1h';

/** What was written, through all that makes a configuration of it; its servers are the services' sockets. */
function configOf(services: Services, written: PolicyInput | undefined, dead: boolean): string {
  const { policy } = normalisePolicy(written === undefined ? undefined : (schema.parse(written) as PolicyInput));
  const service = (name: string) => ({ name, port: 80, replicas: dead ? 2 : 1, health: { kind: 'tcp' } as const });
  const path = {
    app: 'shop',
    generation: 'a'.repeat(64),
    colour: 'blue',
    entry: 'web',
    services: [service('web'), service('api')],
    drainLimitMs: 1000,
  } as const;
  const { proxy } = renderAppPath({ ...path, ...(policy && { policy }) });
  return withSources(proxy)
    .replaceAll(/server (\w+)-1 \S+ .*/g, (_, name: string) => `server ${name}-1 unix@${services.socket(name)}`)
    .replaceAll(/server (\w+)-2 \S+ .*/g, (_, name: string) => `server ${name}-2 unix@${services.socket('nobody')} ${UNNOTICED}`);
}
