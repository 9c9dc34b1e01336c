import assert from 'node:assert/strict';
import { type CliWorld, makeCliWorld } from './cli-world.ts';

/** What the sample's files hold; each part can be told otherwise. */
export type Sample = {
  greeting?: string;
  replicas?: string;
  extra?: string;
  hosts?: string;
  rollout?: 'together' | 'per-app';
  counts?: string;
  steps?: string;
  web?: string;
  more?: string;
  production?: string;
  /** More published ports, in every environment. */
  publish?: string;
};

/** An architecture of one app with two replicas and a store, written into the world's folder. */
export function writeSample(
  world: CliWorld,
  {
    greeting = 'hello',
    extra = '',
    hosts = "'web.localhost'",
    rollout = 'together',
    counts = '',
    steps = '',
    web = '',
    more = '',
    production = '',
    publish = '',
    replicas = '2',
  }: Sample = {},
): void {
  world.write(
    'architecture.ts',
    `import { architecture, app, gateway, secret, service, store } from 'changeless';

export default architecture({
  name: 'sample',
  core: { publish: [{ address: '127.0.0.1', port: 8080 }${publish}] },
  stores: { counts: store({ build: 'counts', port: 6379, data: '/data'${counts} }) },
  apps: {
    web: app({ hosts: [${hosts}], services: { api: service({ build: 'web', port: 8080, replicas: ${replicas}, stores: ['counts'], settings: { GREETING: ${JSON.stringify(greeting)} }${steps} }) }${web} }),
    admin: app({ hosts: ['admin.localhost'], services: { api: service({ build: 'admin', port: 8080 }) } }),
    ${extra}
  },
  ${more}
  rollout: '${rollout}',
  environments: { production: { ${production} core: { publish: [{ address: '0.0.0.0', port: 80 }${publish}] } } },
});
`,
  );
  for (const folder of ['web', 'admin', 'counts']) world.write(`${folder}/Dockerfile`, `FROM debian:bookworm-slim\nCOPY . /${folder}\n`);
}

/** The sample, locked and committed. */
export async function commitSample(world: CliWorld, sample: Sample = {}): Promise<void> {
  world.engine.world.addImage({ tag: 'debian:bookworm-slim' });
  world.engine.world.addImage({ tag: 'node:24-bookworm-slim' });
  world.git('init', '--quiet', '--initial-branch=main');
  writeSample(world, sample);
  const locked = await world.changeless('lock');
  if (locked.code !== 0) throw new Error(locked.stderr);
  commit(world, 'first');
}

export function commit(world: CliWorld, message: string): void {
  world.git('add', '--all');
  world.git('commit', '--quiet', '--message', message);
}

/** A world with the sample, committed, for as long as the body takes. */
export async function inWorld(body: (world: CliWorld) => Promise<void>, sample: Sample = {}): Promise<void> {
  const world = await makeCliWorld();
  try {
    await commitSample(world, sample);
    await body(world);
  } finally {
    await world.dispose();
  }
}

/** Runs the command line, which is to succeed; all that it said. */
export async function done(world: CliWorld, ...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await world.changeless(...argv);
  assert.equal(code, 0, stderr);
  return stdout + stderr;
}
