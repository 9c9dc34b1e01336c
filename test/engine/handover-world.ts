import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { PathConfig } from '../../src/datapath/path-config.ts';
import { digestOf } from '../../src/digest.ts';
import { parsePathLine, type PathReport } from '../../src/datapath/path-log.ts';

const PROXY_FOLDER = new URL('../../images/proxy', import.meta.url).pathname;
/** Stays behind for the next run: without it the engine would install HAProxy again each time. Another image folder makes another one. */
const BASE = `changeless-test/proxy:${digestOfFolder(PROXY_FOLDER)}`;
const run = promisify(execFile);

function digestOfFolder(folder: string): string {
  const files = readdirSync(folder).toSorted();
  return digestOf(files.map((file) => [file, readFileSync(join(folder, file), 'utf8')])).slice(0, 12);
}

/** Runs the docker command line and resolves with what it printed. */
export async function docker(...args: readonly string[]): Promise<string> {
  const environment = { ...process.env, DOCKER_BUILDKIT: '0' };
  const { stdout } = await run('docker', args, { env: environment, maxBuffer: 64 * 2 ** 20 });
  return stdout.trim();
}

/** Whether an engine answers here that has, or can get, what the proxy image is made from. */
export async function engineAnswers(): Promise<boolean> {
  return docker('image', 'inspect', '--format', '{{.Id}}', 'debian:bookworm-slim').then(Boolean, () => false);
}

/** A container of the proxy image, and what it has reported so far. */
export interface Proxy {
  readonly name: string;
  readonly reports: readonly PathReport[];
  readonly output: readonly string[];
  /** Resolves once a report of this phase was printed. */
  reported(phase: PathReport['phase']): Promise<void>;
  /** Resolves when it prints something. */
  nextLine(): Promise<void>;
  signal(signal: 'HUP' | 'USR1' | 'USR2' | 'TERM' | 'KILL'): Promise<void>;
  /** Resolves with the exit code. */
  ended(): Promise<number>;
}

/** Everything one test file makes on the engine. All of it carries one label and one prefix, and goes at the end. */
export class World {
  readonly prefix = `dp-${process.pid}`;
  #count = 0;

  async prepare(): Promise<void> {
    await docker('build', '-q', '-t', BASE, PROXY_FOLDER);
    await docker('network', 'create', '--label', this.#label, this.#network);
  }

  /** Builds an image that adds one configuration to the proxy image, and checks it there. */
  async image(name: string, { waiting, proxy, leaving }: PathConfig): Promise<string> {
    const files = { 'waiting.cfg': waiting, 'proxy.cfg': proxy, ...(leaving && { 'leaving.cfg': leaving }) };
    const image = await this.#layer(name, files, '/etc/changeless/path/');
    await docker('run', '--rm', '--network', 'none', ...this.#hardened, image, 'check');
    return image;
  }

  /** A network namespace with an address of its own, and the memory volume its proxies share. */
  async sandbox(name: string, alias: string): Promise<string> {
    const options = ['type=tmpfs', 'device=tmpfs', 'o=uid=10101,mode=0700,size=1m'].flatMap((o) => ['--opt', o]);
    await docker('volume', 'create', '--label', this.#label, ...options, this.#tag(name));
    const entry = ['--entrypoint', 'sleep', BASE, 'infinity'];
    await this.#run(name, [...this.#onNetwork(alias), ...this.#volume(name), ...entry]);
    return docker('inspect', '-f', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', this.#tag(name));
  }

  /** A place for a server: a network namespace that has a name. */
  async slot(alias: string, name = alias): Promise<string> {
    await this.#run(`slot-${name}`, [...this.#onNetwork(alias), '--entrypoint', 'sleep', BASE, 'infinity']);
    return docker('inspect', '-f', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', this.#tag(`slot-${name}`));
  }

  /** Starts a path's image beside the server in a slot, which it says leaves. */
  async departure(slot: string, image: string): Promise<Proxy> {
    const name = `leaving-${slot}-${(this.#count += 1)}`;
    await this.#run(name, ['--network', `container:${this.#tag(`slot-${slot}`)}`, image]);
    return follow(this.#tag(name));
  }

  /** Ends the server in a slot, and where there is nothing else in it, the slot. */
  async vacate(slot: string, what: 'server' | 'slot'): Promise<void> {
    await docker('rm', '-f', this.#tag(`${what}-${slot}`));
  }

  /** Starts a server in a slot. It says who passed a request on; to `/slow` it takes 2.5 s. */
  async occupy(alias: string): Promise<void> {
    const image = await this.#layer('server', { 'server.cfg': SERVER }, '/');
    const place = ['--network', `container:${this.#tag(`slot-${alias}`)}`];
    await this.#run(`server-${alias}`, [...place, '--entrypoint', 'haproxy', image, '-db', '-f', '/server.cfg']);
  }

  /** Starts a proxy as a waiter in a sandbox. */
  async waiter(sandbox: string, image: string): Promise<Proxy> {
    const name = `${sandbox}-proxy-${(this.#count += 1)}`;
    await this.#run(name, ['--network', `container:${this.#tag(sandbox)}`, ...this.#volume(sandbox), image]);
    return follow(this.#tag(name));
  }

  async close(): Promise<void> {
    const mine = ['--filter', `label=${this.#label}`];
    await remove(['rm', '-f', '-v'], await docker('ps', '-aq', ...mine));
    await remove(['volume', 'rm', '-f'], await docker('volume', 'ls', '-q', ...mine));
    await remove(['network', 'rm'], await docker('network', 'ls', '-q', ...mine));
    // By name: another test may have a container of the very same image under its own.
    await remove(['rmi'], await docker('images', '--format', '{{.Repository}}:{{.Tag}}', '--filter', `reference=${this.prefix}`));
  }

  get #label(): string {
    return `dev.changeless.test=${this.prefix}`;
  }

  get #network(): string {
    return this.#tag('network');
  }

  get #hardened(): readonly string[] {
    return ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--label', this.#label];
  }

  #tag(name: string): string {
    return `${this.prefix}${name.startsWith('image-') ? ':' : '-'}${name}`;
  }

  #volume(sandbox: string): readonly string[] {
    return ['-v', `${this.#tag(sandbox)}:/run/changeless`];
  }

  #onNetwork(alias: string): readonly string[] {
    return ['--network', this.#network, '--network-alias', alias];
  }

  #run(name: string, args: readonly string[]): Promise<string> {
    return docker('run', '-d', '--name', this.#tag(name), ...this.#hardened, ...args);
  }

  async #layer(name: string, files: Readonly<Record<string, string>>, to: string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'dp-'));
    const image = this.#tag(`image-${name}`);
    const all = { ...files, Dockerfile: `FROM ${BASE}\nCOPY ${Object.keys(files).join(' ')} ${to}\n` };
    for (const [file, text] of Object.entries(all)) await writeFile(join(folder, file), text);
    await docker('build', '-q', '-t', image, folder);
    await rm(folder, { recursive: true });
    return image;
  }
}

const SERVER = `
defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 30s
    timeout tarpit 2500ms
frontend server
    bind :8080
    http-request wait-for-body time 5s
    http-request tarpit deny_status 200 hdr x-served-by %[req.hdr(x-changeless-generation)] if { path /slow }
    http-request return status 200 hdr x-served-by %[req.hdr(x-changeless-generation)]
`;

function follow(container: string): Proxy {
  const reports: PathReport[] = [];
  const output: string[] = [];
  const arrived = new EventTarget();
  const logs = spawn('docker', ['logs', '-f', container], { stdio: ['ignore', 'pipe', 'pipe'] });
  const read = (line: string): void => {
    output.push(line);
    const report = parsePathLine(line);
    if (report !== undefined) reports.push(report);
    arrived.dispatchEvent(new Event('line'));
  };
  createInterface({ input: logs.stdout }).on('line', read);
  createInterface({ input: logs.stderr }).on('line', read);
  logs.on('close', () => arrived.dispatchEvent(new Event('line')));
  return {
    name: container,
    reports,
    output,
    reported: async (phase) => {
      while (!reports.some((report) => report.phase === phase)) {
        if (logs.exitCode !== null) throw new Error(`${container} ended without ${phase}:\n${output.join('\n')}`);
        await once(arrived, 'line');
      }
    },
    nextLine: async () => void (await once(arrived, 'line')),
    signal: async (signal) => void (await docker('kill', '-s', signal, container)),
    ended: async () => Number(await docker('wait', container)),
  };
}

async function remove(command: readonly string[], ids: string): Promise<void> {
  if (ids !== '') await docker(...command, ...new Set(ids.split('\n')));
}
