import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import tls from 'node:tls';
import { issueFor, makeAuthority, type Certified } from '../../src/certificates/issue.ts';
import type { Policy } from '../../src/policy.ts';
import { renderAppPath } from '../../src/datapath/app-path.ts';
import { renderCore } from '../../src/datapath/core-path.ts';
import { freePort, withSources } from '../../src/datapath/haproxy-fixture.ts';
import type { SourceLimits, SourceRules } from '../../src/source-rules.ts';

/** The hosts of the app, and one that is another app's, which its certificate is for, too. */
export const [host, second, foreign] = ['shop.localhost', 'www.shop.localhost', 'other.localhost'];

/** What is said to the core and to the app's data path. `change`: of the configurations as they were rendered. */
export type Chained = {
  sources?: SourceRules;
  perSource?: SourceLimits;
  policy?: Policy;
  redirectPort?: number;
  drainLimitMs?: number;
  change?: (config: string) => string;
};

type Secured = {
  ciphers?: string;
  servername?: string;
  versions?: readonly [tls.SecureVersion, tls.SecureVersion];
  protocols?: string[];
  source?: string;
};

/** The services behind a chain: where each listens, and a folder for what the chain has. */
export type Behind = { readonly folder: string; socket: (service: string) => string };

export type Answered = { status: number; headers: http.IncomingHttpHeaders; body: string };

/** An authority for the tests, and the certificate that the app's data path shows. */
export async function certify(): Promise<{ authority: Certified; shown: Certified }> {
  const authority = await makeAuthority('An authority of tests', new Date());
  return { authority, shown: await issueFor([host, second, foreign], authority, new Date()) };
}

let count = 0;

/** The core and an app's data path, run by the proxy itself one behind the other, at sockets. */
export class TlsChain {
  readonly #folder: string;
  readonly #name = `chain-${(count += 1)}`;
  readonly #authority: Certified;
  readonly #children: ChildProcess[] = [];
  readonly #said: string[] = [];
  readonly #lines = new EventTarget();
  readonly #ports = new Map<string, number>();

  private constructor(folder: string, authority: Certified) {
    this.#folder = folder;
    this.#authority = authority;
  }

  static async start(
    services: Behind,
    { authority, shown }: Awaited<ReturnType<typeof certify>>,
    chained: Chained = {},
  ): Promise<TlsChain> {
    const chain = new TlsChain(services.folder, authority);
    const certificate = chain.#socket('pem');
    await writeFile(certificate, shown.certificate);
    await writeFile(`${certificate}.key`, shown.key.reveal());
    const service = (name: string) => ({ name, port: 80, replicas: 1, health: { kind: 'tcp' } as const });
    const app = renderAppPath({
      app: 'shop',
      generation: 'a'.repeat(64),
      colour: 'blue',
      entry: 'web',
      services: [service('web'), service('api')],
      drainLimitMs: chained.drainLimitMs ?? 1000,
      ...(chained.policy && { policy: chained.policy }),
      tls: { certificate, redirectPort: chained.redirectPort },
    }).proxy.replaceAll(/server (\w+)-1 \S+ .*/g, (_, name: string) => `server ${name}-1 unix@${services.socket(name)}`);
    const core = renderCore({
      generation: 'c'.repeat(64),
      routes: [
        { host, app: 'shop', tls: true },
        { host: second, app: 'shop', tls: true },
        { host: 'plain.localhost', app: 'shop' },
      ],
      ...(chained.sources && { sources: chained.sources }),
      ...(chained.perSource && { perSource: chained.perSource }),
    }).proxy.replaceAll(
      /server shop shop\.path:(\d+) send-proxy-v2 .*/g,
      (_, port: string) => `server shop unix@${chain.#socket(`path-${port}`)} send-proxy-v2`,
    );
    const change = chained.change ?? ((config) => config);
    await Promise.all([chain.#run('path', change(app)), chain.#run('core', change(core))]);
    return chain;
  }

  /** A connection to the core from an address, or to the data path as the core makes it. */
  async connect(at: 'core-8080' | 'core-8443' | 'path-8080', localAddress = '127.0.0.1'): Promise<net.Socket> {
    const port = this.#ports.get(at);
    const socket = port === undefined ? net.connect(this.#socket(at)) : net.connect({ host: '127.0.0.1', port, localAddress });
    await once(socket, 'connect');
    if (port === undefined) socket.write(`PROXY TCP4 ${localAddress} 127.0.0.1 1000 80\r\n`);
    return socket;
  }

  /** An encrypted connection whose certificate was verified; what went wrong, where there is none. */
  async secure({ servername = host, versions, protocols, source, ciphers = 'ALL:@SECLEVEL=0' }: Secured = {}): Promise<
    tls.TLSSocket | string
  > {
    const [minVersion, maxVersion] = versions ?? ['TLSv1.2', 'TLSv1.3'];
    const connected = await this.connect('core-8443', source).catch((error: NodeJS.ErrnoException) => error.code ?? 'refused');
    if (typeof connected === 'string') return connected;
    const socket = tls.connect({
      socket: connected,
      servername,
      ca: this.#authority.certificate,
      minVersion,
      maxVersion,
      ciphers,
      ...(protocols && { ALPNProtocols: protocols }),
      checkServerIdentity: () => undefined,
    });
    const failed = Promise.withResolvers<string>();
    socket.on('error', (error: NodeJS.ErrnoException) => failed.resolve(error.code ?? error.message));
    socket.on('close', () => failed.resolve('closed'));
    const won = await Promise.race([once(socket, 'secureConnect'), failed.promise]);
    return typeof won === 'string' ? won : socket;
  }

  /** One request over a connection of its own, or over the given one. */
  async ask(options: { socket?: net.Socket; path?: string; headers?: Record<string, string>; method?: string } = {}): Promise<Answered> {
    const socket = options.socket ?? (await this.#secured());
    const request = http.request({
      createConnection: () => socket,
      path: options.path ?? '/',
      method: options.method ?? 'GET',
      headers: { host, connection: 'keep-alive', ...options.headers },
    });
    request.end();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    let body = '';
    for await (const chunk of response.setEncoding('utf8')) body += String(chunk);
    if (!options.socket) socket.destroy();
    return { status: response.statusCode ?? 0, headers: response.headers, body };
  }

  /** A session of HTTP/2 over an encrypted connection. */
  async session(): Promise<http2.ClientHttp2Session> {
    const socket = await this.#secured(['h2']);
    const session = http2.connect(`https://${host}`, { createConnection: () => socket });
    session.on('error', () => undefined);
    await once(session, 'connect');
    return session;
  }

  /** What the core and the data path, which stands first in each line, have said. */
  get said(): readonly string[] {
    return this.#said;
  }

  /** Resolves once the core or the data path, which stands first in each line, has said it. */
  async heard(pattern: RegExp): Promise<void> {
    while (!this.#said.some((line) => pattern.test(line))) await once(this.#lines, 'line');
  }

  /** Tells the data path to stop as the engine does, and gives what it has said when it has ended. */
  async drain(): Promise<string> {
    const [path] = this.#children;
    if (!path) throw new Error('there is no data path');
    const ended = once(path, 'close');
    path.kill('SIGUSR1');
    await ended;
    return this.#said.join('\n');
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, 'close');
        child.kill('SIGKILL');
        await ended;
      }),
    );
  }

  async #secured(protocols?: string[]): Promise<tls.TLSSocket> {
    const socket = await this.secure({ ...(protocols && { protocols }) });
    if (typeof socket === 'string') throw new Error(socket);
    return socket;
  }

  #socket(what: string): string {
    return path.join(this.#folder, `${this.#name}-${what}`);
  }

  async #run(part: 'core' | 'path', config: string): Promise<void> {
    const file = this.#socket(`${part}.cfg`);
    // Only of connections over TCP does the core know the source.
    if (part === 'core') for (const port of ['8080', '8443']) this.#ports.set(`core-${port}`, await newPort());
    const at = (port: string): string =>
      part === 'core' ? `127.0.0.1:${this.#ports.get(`core-${port}`)}` : `unix@${this.#socket(`path-${port}`)}`;
    const bound = withSources(config)
      .replaceAll('/run/changeless', this.#folder)
      .replaceAll(/bind :(\d+)/g, (_, port: string) => `bind ${at(port)}`);
    await writeFile(file, bound);
    const child = spawn('haproxy', ['-db', '-f', file], { env: { ...process.env, CHANGELESS_INCARNATION: `${this.#name}-${part}` } });
    if (part === 'path') this.#children.unshift(child);
    else this.#children.push(child);
    const said = this.#said;
    await new Promise<void>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr])
        createInterface({ input: stream }).on('line', (line) => {
          said.push(`${part} ${line}`);
          this.#lines.dispatchEvent(new Event('line'));
          if (line.includes('"serving"')) resolve();
        });
      child.on('close', () => reject(new Error(`the proxy ended:\n${said.join('\n')}`)));
    });
  }
}

const given = new Set<number>();

/** A port that no other chain was given: two proxies would share one. */
async function newPort(): Promise<number> {
  const port = await freePort();
  if (given.has(port)) return newPort();
  given.add(port);
  return port;
}

/** An answer of HTTP/2. */
export async function askSession(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders = {},
  body?: string,
): Promise<Answered> {
  const stream = session.request({ ':authority': host, ':path': '/', ...headers }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  const [answer] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += String(chunk);
  return { status: Number(answer[':status']), headers: answer, body: text };
}
