import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Subject } from './arm.ts';
import { COMPOSE, composeProject } from './compose.ts';
import { askOnce } from './probe.ts';
import type { Ground } from './world.ts';

export const PORTS = { nginx: 18090, caddy: 18091, caddyAdmin: 18092, haproxy: 18093, compose: 18094, backend: 18095 };
const ANSWER_MS = 20_000;
const HOST = 'catalog.localhost';

/** What others do to change what serves. `most`: it is not worth more replacements than that. */
export type Peer = {
  name: string;
  most: number;
  start: (ground: Ground) => Promise<(Subject & { stop: () => Promise<void> }) | { skipped: string }>;
};

/** A proxy that runs as a plain process before the backend, and how it is told to take a new configuration. */
export type Proxy = {
  name: string;
  program: string;
  package: string;
  port: number;
  /** The configuration's file name; it is written into a folder of the proxy's own. */
  file: string;
  configuration: (folder: string, revision: number) => string;
  command: (file: string, folder: string) => string[];
  reload: (reloading: { child: ChildProcess; configuration: string }) => Promise<unknown>;
};

/** What nginx needs to run from a folder of its own, before its sites. */
export const nginxProcess = (folder: string): string => `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 4096; }`;

export const nginxServing = (folder: string): string =>
  ['access_log off;', ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`)].join(
    '\n    ',
  );

export const nginx: Proxy = {
  name: 'nginx, HUP',
  program: '/usr/sbin/nginx',
  package: 'nginx-light',
  port: PORTS.nginx,
  file: 'nginx.conf',
  configuration: (folder, revision) => `# ${revision}
${nginxProcess(folder)}
http {
    ${nginxServing(folder)}
    upstream backend { server 127.0.0.1:${PORTS.backend}; keepalive 64; }
    server {
        listen 127.0.0.1:${PORTS.nginx};
        location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; }
    }
}
`,
  command: (file, folder) => ['-c', file, '-p', folder, '-e', path.join(folder, 'error.log')],
  reload: async ({ child }) => child.kill('SIGHUP'),
};

export const caddy: Proxy = {
  name: 'Caddy, POST /load',
  program: '/usr/bin/caddy',
  package: 'caddy',
  port: PORTS.caddy,
  file: 'Caddyfile',
  // What is the same is not loaded: the revision makes it another one.
  configuration: (_, revision) => `{
    admin 127.0.0.1:${PORTS.caddyAdmin}
}
http://:${PORTS.caddy} {
    bind 127.0.0.1
    header x-revision ${revision}
    reverse_proxy 127.0.0.1:${PORTS.backend}
}
`,
  command: (file) => ['run', '--config', file, '--adapter', 'caddyfile'],
  reload: async ({ configuration }) => {
    const response = await fetch(`http://127.0.0.1:${PORTS.caddyAdmin}/load`, {
      method: 'POST',
      headers: { 'content-type': 'text/caddyfile' },
      body: configuration,
    });
    if (!response.ok) throw new Error(`Caddy answered ${response.status}: ${await response.text()}`);
  },
};

/** HAProxy as it comes, before its sites. */
export const haproxyProcess = (folder: string): string => `global
    nbthread 1
    stats socket ${folder}/stats.sock mode 600 level admin expose-fd listeners
defaults
    mode http
    timeout connect 1s
    timeout client 60s
    timeout server 60s`;

export const haproxy: Proxy = {
  name: 'HAProxy, reload as it comes',
  program: '/usr/sbin/haproxy',
  package: 'haproxy',
  port: PORTS.haproxy,
  file: 'haproxy.cfg',
  configuration: (folder, revision) => `# ${revision}
${haproxyProcess(folder)}
frontend all
    bind 127.0.0.1:${PORTS.haproxy}
    default_backend backend
backend backend
    server backend 127.0.0.1:${PORTS.backend}
`,
  command: (file) => ['-W', '-db', '-f', file],
  reload: async ({ child }) => child.kill('SIGUSR2'),
};

/** Whoever is compared, in the order in which they run. */
export const peers: readonly Peer[] = [
  ...[nginx, caddy, haproxy].map((proxy): Peer => ({ name: proxy.name, most: Infinity, start: (ground) => startProxy(ground, proxy) })),
  { name: 'docker-compose, recreate', most: 5, start: startCompose },
];

const missing = (program: string, from: string) => ({
  skipped: `${program} is not there: apt-get install --no-install-recommends ${from}`,
});

export async function startProxy(ground: Ground, proxy: Proxy, startServer = startBackend): ReturnType<Peer['start']> {
  if (!existsSync(proxy.program)) return missing(proxy.program, proxy.package);
  const folder = path.join(ground.folder, `peer-${path.basename(proxy.program)}`);
  mkdirSync(folder);
  const file = path.join(folder, proxy.file);
  let revision = 0;
  const write = (): string => {
    revision += 1;
    const configuration = proxy.configuration(folder, revision);
    writeFileSync(file, configuration);
    return configuration;
  };
  write();
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const backend = startServer(ground);
  const child = spawn(proxy.program, proxy.command(file, folder), { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors = (errors + chunk).slice(-2_000)));
  const stop = async (): Promise<void> => void (await Promise.all([end(child), end(backend)]));
  ground.onCleanUp(stop);
  await answers(proxy.port).catch((cause: unknown) => {
    throw new Error(`${String(cause)}; ${proxy.program} said: ${errors}`);
  });
  return {
    name: proxy.name,
    target: { address: '127.0.0.1', port: proxy.port, host: HOST },
    replace: async () => {
      const moment = performance.now();
      await proxy.reload({ child, configuration: write() });
      return [moment, performance.now()];
    },
    stop,
  };
}

/** The server of the example's services, with one route, as a process. */
function startBackend(ground: Ground): ChildProcess {
  const serve = path.join(ground.package, 'examples/streaming/catalog/api/serve.mjs');
  const program = `import { serve } from ${JSON.stringify(serve)}; serve({ '/': () => ({ status: 200, body: {} }) }, ${PORTS.backend});`;
  return spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' });
}

async function startCompose(ground: Ground): ReturnType<Peer['start']> {
  if (!existsSync(COMPOSE)) return missing(COMPOSE, 'docker-compose');
  const { command } = composeProject(ground, { project: 'bench-drops-compose', port: PORTS.compose });
  await command('up', '--build', '-d');
  await answers(PORTS.compose);
  return {
    name: 'docker-compose, recreate',
    target: { address: '127.0.0.1', port: PORTS.compose, host: HOST },
    replace: async () => {
      const moment = performance.now();
      await command('up', '-d', '--no-deps', '--force-recreate', 'api');
      await answers(PORTS.compose);
      return [moment, performance.now()];
    },
    stop: async () => void (await command('down', '--volumes', '--rmi', 'local')),
  };
}

/** Ends a process the way that lets it end its own. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => void child.once('close', () => resolve()));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(late);
}

/** Waits until the port gives a good answer. */
async function answers(port: number): Promise<void> {
  const deadline = performance.now() + ANSWER_MS;
  while ((await askOnce({ port, host: HOST, pattern: /(200)/ })).said === undefined) {
    if (performance.now() > deadline) throw new Error(`nothing answered on port ${port} within ${ANSWER_MS / 1000} s`);
    await pause(20);
  }
}
