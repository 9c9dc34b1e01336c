import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { World } from './world.ts';

/** What a commit of it says; what is left out is as in the first one. */
export type Said = {
  web?: object;
  other?: object;
  notes?: object;
  drainMs?: number;
  otherHost?: string;
  extra?: boolean;
  rollout?: 'per-app';
};

/** Within which `web.web` comes and goes. */
export const range = { min: 1, max: 3 };

const WEB = `import { createServer } from 'node:http';
const server = createServer((request, response) => {
  response.writeHead(request.url === '/' ? 200 : 404, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ generation: request.headers['x-changeless-generation'] }));
});
server.listen(8080);
process.once('SIGTERM', () => server.close());
`;

/** Writes down in its data that it has started. */
const NOTES = `import { appendFileSync } from 'node:fs';
import { createServer } from 'node:net';
if (process.env.BROKEN) process.exit(1);
appendFileSync('/data/starts', 'started\\n');
createServer((socket) => socket.end('here\\n')).listen(7000);
process.once('SIGTERM', () => process.exit(0));
`;

const dockerfile = (more: string): string =>
  `FROM node:24-bookworm-slim\n${more}COPY server.mjs /\nUSER 1000:1000\nCMD ["node", "/server.mjs"]\n`;

/** Two apps, one of them elastic and with a step, and a store: small, and with everything that leaves something behind. */
export function fillEntropyWorld(world: Pick<World, 'name' | 'folder' | 'port'>): void {
  component(path.join(world.folder, 'web'), dockerfile(''), WEB);
  component(path.join(world.folder, 'notes'), dockerfile('RUN install -d -o 1000 -g 1000 /data\n'), NOTES);
  write(world, {});
}

function component(folder: string, file: string, server: string): void {
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'Dockerfile'), file);
  writeFileSync(path.join(folder, 'server.mjs'), server);
}

/** Writes `architecture.ts`. */
export function write({ name, folder, port }: Pick<World, 'name' | 'folder' | 'port'>, said: Said): void {
  const plain = { build: 'web', port: 8080, health: { path: '/' } };
  const web = { ...plain, replicas: range, steps: { before: { check: { command: ['true'] } } }, ...said.web };
  const other = { ...plain, replicas: 2, stores: ['notes'], ...said.other };
  const apps = {
    web: `app({ drain: { limitMs: ${said.drainMs ?? 10_000} }, services: { web: ${made('service', web)} } })`,
    other: `app({ hosts: ['${said.otherHost ?? 'other.localhost'}'], services: { web: ${made('service', other)} } })`,
    ...(said.extra && { extra: `app({ services: { web: ${made('service', plain)} } })` }),
  };
  const lines = [
    "import { app, architecture, service, store } from 'changeless';",
    'export default architecture({',
    `  name: '${name}',`,
    `  core: { publish: [{ address: '127.0.0.1', port: ${port} }] },`,
    ...(said.rollout ? [`  rollout: '${said.rollout}',`] : []),
    `  apps: { ${Object.entries(apps)
      .map(([app, text]) => `${app}: ${text}`)
      .join(', ')} },`,
    `  stores: { notes: ${made('store', { build: 'notes', port: 7000, data: '/data', ...said.notes })} },`,
    '});',
  ];
  writeFileSync(path.join(folder, 'architecture.ts'), `${lines.join('\n')}\n`);
}

const made = (builder: string, value: object): string => `${builder}(${JSON.stringify(value)})`;
