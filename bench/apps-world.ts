import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Ground, makeWorld, type World } from './world.ts';

/** A program: it answers over HTTP, says which revision it is, and echoes what comes over a WebSocket, in as little as that takes. */
export const SERVER = `const { createHash } = require('node:crypto');
const { createServer } = require('node:http');
const server = createServer((request, response) => {
  request.resume();
  response.setHeader('x-served-by', request.headers['x-changeless-generation'] ?? '');
  response.end('r0');
});
server.keepAliveTimeout = 75_000;
server.on('upgrade', (request, socket) => {
  const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  socket.on('error', () => socket.destroy());
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nupgrade: websocket\\r\\nconnection: upgrade\\r\\nsec-websocket-accept: ' + accept + '\\r\\n\\r\\n');
});
server.listen(Number(process.env.PORT ?? 8080));
process.once('SIGTERM', () => server.close());
`;

const DOCKERFILE = `FROM node:24-bookworm-slim\nCOPY server.cjs /\nUSER 1000:1000\nCMD ["node", "--max-semi-space-size=1", "/server.cjs"]\n`;

/** The names of so many apps, in order. */
export const appNames = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `app-${String(index + 1).padStart(3, '0')}`);

export const hostOf = (app: string): string => `${app}.localhost`;

/** What each of the apps is; a line of it is changed by its text. */
const appLine = (app: string): string => `    '${app}': web('${app}', { limitMs: 30_000 }${app === FLOODED ? ', 200, limited' : ''}),`;

/** The app that is flooded: it alone has a limit of requests. */
export const FLOODED = 'app-002';

/** Independent apps of one small server each, and folders of some more, in a repository of their own; nothing of it runs yet. */
export function makeAppsWorld(ground: Ground, { apps, more, port }: { apps: number; more: number; port: number }): Promise<World> {
  return makeWorld(ground, {
    label: 'apps',
    port,
    fill: ({ name, folder }) => {
      writeFileSync(path.join(folder, 'architecture.ts'), architectureText(name, port, appNames(apps)));
      for (const app of appNames(apps + more)) {
        const own = path.join(folder, 'apps', app);
        mkdirSync(own, { recursive: true });
        writeFileSync(path.join(own, 'Dockerfile'), DOCKERFILE);
        writeFileSync(path.join(own, 'server.cjs'), `// ${app}\n${SERVER}`);
      }
    },
  });
}

/** Another revision of an app's code. */
export const changeCode = (world: World, app: string, revision: string): void =>
  world.edit(`apps/${app}/server.cjs`, /response\.end\('[^']*'\)/, `response.end('${revision}')`);

/** A revision of an app's code that ends as it starts. */
export const breakCode = (world: World, app: string): void => world.edit(`apps/${app}/server.cjs`, /^/, 'process.exit(1);\n');

/** A policy under which an app is never healthy. */
export const breakPolicy = (world: World, app: string, round: number): void =>
  world.edit(
    'architecture.ts',
    new RegExp(`web\\('${app}', \\{ limitMs: [\\d_]+[^)]*\\)`),
    `web('${app}', { limitMs: ${30_000 + round} }, 418)`,
  );

/** The app's requests are not written down. */
export const keepNoLog = (world: World, app: string): void =>
  world.edit(
    'architecture.ts',
    new RegExp(`web\\('${app}', \\{ limitMs: [\\d_]+ \\}\\)`),
    `web('${app}', { limitMs: 30_000 }, 200, { accessLog: 'none' })`,
  );

/** Another policy of an app, and nothing else of it. */
export const changePolicy = (world: World, app: string, limitMs: number): void =>
  world.edit('architecture.ts', new RegExp(`web\\('${app}', \\{ limitMs: [\\d_]+ \\}`), `web('${app}', { limitMs: ${limitMs} }`);

export const addApp = (world: World, app: string): void => world.edit('architecture.ts', '    // more\n', `${appLine(app)}\n    // more\n`);

const architectureText = (
  name: string,
  port: number,
  apps: readonly string[],
): string => `import { app, architecture, service, type PolicyInput } from 'changeless';

const limited = { rateLimits: { all: { requests: 100, periodMs: 1_000 } } };

const web = (folder: string, drain: { limitMs: number }, status = 200, policy?: PolicyInput) =>
  app({
    drain,
    ...(policy && { policy }),
    services: { web: service({ build: \`apps/\${folder}\`, port: 8080, health: { path: '/', status, timeoutMs: status === 200 ? 60_000 : 5_000 }, limits: { memory: '128m' } }) },
  });

export default architecture({
  name: '${name}',
  rollout: 'per-app',
  core: { publish: [{ address: '127.0.0.1', port: ${port} }] },
  apps: {
${apps.map(appLine).join('\n')}
    // more
  },
});
`;
