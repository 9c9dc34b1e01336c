import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { PlannedComponent } from '../src/build/plan-release.ts';
import { componentTag } from '../src/build/image-names.ts';
import type { Engine } from '../src/engine/engine.ts';
import { labels } from '../src/engine/labels.ts';
import { installedDelivery } from '../src/cli/installed-delivery.ts';
import type { World as CommandWorld } from '../src/cli/world.ts';
import { openDockerEngine } from '../src/engine/docker/docker-engine.ts';
import { done } from '../src/result.ts';
import { type Ground, makeWorld, type World } from './world.ts';

/** How many files a component's folder holds. */
const FILES = 10;
/** Components that run, each the one service of an app; all others are agents, which have no container. */
const RUNNING = 3;
/** So many images are loaded at once when an architecture is seeded. */
const BATCH = 100;

const SERVER = `import { createServer } from 'node:http';
const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ revision: 'r0', generation: request.headers['x-changeless-generation'] }));
});
server.keepAliveTimeout = 75_000;
server.listen(8080);
process.once('SIGTERM', () => server.close());
`;

const architectureText = (
  name: string,
  port: number,
  agents: number,
): string => `import { agent, app, architecture, service } from 'changeless';

const agents = Object.fromEntries(
  Array.from({ length: ${agents} }, (_, index) => [\`agent-\${index + 1}\`, agent({ build: \`agents/agent-\${index + 1}\` })]),
);
const web = (folder: string) => app({ services: { web: service({ build: folder, port: 8080, health: { path: '/' } }) } });

export default architecture({
  name: '${name}',
  core: { publish: [{ address: '127.0.0.1', port: ${port} }] },
  apps: { ${Array.from({ length: RUNNING }, (_, index) => `web-${index + 1}`)
    .map((app) => `'${app}': web('apps/${app}')`)
    .join(', ')} },
  agents,
});
`;

/** An architecture of so many components in all, live, with an image for each of them. */
export async function makeScaleWorld(ground: Ground, { components, port }: { components: number; port: number }): Promise<World> {
  const agents = components - RUNNING;
  const world = await makeWorld(ground, {
    label: `scale${components}`,
    port,
    fill: ({ name, folder }) => {
      writeFileSync(path.join(folder, 'architecture.ts'), architectureText(name, port, agents));
      for (let index = 1; index <= RUNNING; index += 1)
        writeComponent(
          path.join(folder, `apps/web-${index}`),
          `FROM node:24-bookworm-slim\nCOPY server.mjs /\nUSER 1000:1000\nCMD ["node", "/server.mjs"]\n`,
          { 'server.mjs': SERVER },
        );
      for (let index = 1; index <= agents; index += 1)
        writeComponent(path.join(folder, `agents/agent-${index}`), `FROM debian:bookworm-slim\nLABEL agent=${index}\nCOPY . /agent\n`, {});
    },
  });
  await seedAgents(ground, world);
  await world.changeless('up');
  return world;
}

function writeComponent(folder: string, dockerfile: string, files: Record<string, string>): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'Dockerfile'), dockerfile);
  for (const [name, contents] of Object.entries(files)) writeFileSync(path.join(folder, name), contents);
  const count = FILES - 1 - Object.keys(files).length;
  for (let index = 1; index <= count; index += 1) writeFileSync(path.join(folder, `file-${index}.txt`), `${folder} ${index}\n`);
}

/**
 * An image with the right tag and labels for each agent, made as a micro layer instead of being built: a plan, a seal and a
 * rollout look at tag, labels and id only, and a thousand builds would take an hour.
 */
async function seedAgents(ground: Ground, world: World): Promise<void> {
  const engine = openDockerEngine();
  const delivery = installedDelivery(ground.package);
  const place = {
    folder: world.folder,
    cacheFolder: cacheOf(ground),
    engine: async () => done(engine),
    signal: new AbortController().signal,
  };
  const source = await delivery.evaluate({ place, revision: 'HEAD', worktree: false, report: () => undefined });
  if (!source.ok) throw new Error(source.problem.what);
  try {
    const planned = await source.value.plan();
    if (!planned.ok) throw new Error(planned.problem.what);
    const missing = planned.value.components.filter(({ name, reused }) => !reused && name.includes('agent'));
    for (let from = 0; from < missing.length; from += BATCH) await assembleAgents(engine, world.name, missing.slice(from, from + BATCH));
  } finally {
    await source.value.close();
  }
}

async function assembleAgents(engine: Engine, architecture: string, components: readonly PlannedComponent[]): Promise<void> {
  const base = await engine.images.inspect('debian:bookworm-slim');
  if (base === undefined) throw new Error('debian:bookworm-slim is not on the engine');
  await engine.images.assemble(
    components.map(({ name, key }) => ({
      base: base.id,
      files: [],
      change: { labels: { [labels.architecture]: architecture, [labels.role]: 'component', [labels.key]: key } },
      tag: componentTag(architecture, name, key),
    })),
  );
}

/** The command line's own world, with an engine client of its own each time, as a new process would have. */
export function commandWorld(ground: Ground, world: World): CommandWorld & { said: () => string } {
  const said: string[] = [];
  const quiet = { isTerminal: false, columns: 120 };
  const never = new AbortController().signal;
  const engine = openDockerEngine();
  return {
    cwd: world.folder,
    env: process.env,
    stdout: { ...quiet, write: (text) => void said.push(text) },
    stderr: { ...quiet, write: () => undefined },
    stdin: { isTerminal: false, read: async () => new Uint8Array(), readHidden: async () => undefined },
    signal: never,
    terminated: never,
    cacheFolder: cacheOf(ground),
    configFolder: path.join(ground.cache, 'config'),
    packageFolder: ground.package,
    clock: () => new Date().toISOString(),
    random: (characters) => '0'.repeat(characters),
    engine: async () => done(engine),
    delivery: async () => installedDelivery(ground.package),
    said: () => said.join(''),
  };
}

const cacheOf = (ground: Ground): string => path.join(ground.cache, 'changeless');
