import assert from 'node:assert/strict';
import { run, start } from './running.ts';

const LABEL = 'dev.changeless.';

/** One container as the engine tells of it, with what its labels say. */
export type Container = {
  id: string;
  name: string;
  role: string;
  /** `app/catalog`, `store/sessions`, `core/core`; empty for what belongs to no unit. */
  unit: string;
  release: string;
  image: string;
  state: string;
  startedAt: string;
  restarts: number;
  labels: Readonly<Record<string, string>>;
};

type Inspected = {
  Id: string;
  Name: string;
  Image: string;
  RestartCount: number;
  State: { Status: string; StartedAt: string };
  Config: { Labels: Record<string, string> | null };
};

/** Runs the docker command as a person would; what it prints. Fails with what it says when it fails. */
export async function docker(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await run({ program: 'docker', words });
  assert.equal(code, 0, `docker ${words.join(' ')}: ${stderr}`);
  return stdout.trim();
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** Every container of the architecture, running or not; those that run once for a moment are left out. */
export async function containersOf(architecture: string): Promise<Container[]> {
  const ids = lines(await docker('ps', '--all', '--quiet', '--no-trunc', '--filter', `label=${LABEL}architecture=${architecture}`));
  if (ids.length === 0) return [];
  // It fails when one of them is gone by now, and tells of the others all the same.
  const { stdout } = await run({ program: 'docker', words: ['inspect', ...ids] });
  const found = (JSON.parse(stdout) as Inspected[]).map(containerOf);
  return found.filter(({ role }) => role !== 'once').toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function containerOf({ Id, Name, Image, RestartCount, State, Config }: Inspected): Container {
  const labels = Config.Labels ?? {};
  const label = (name: string): string => labels[LABEL + name] ?? '';
  const kind = ['app', 'store', 'core'].find((kind) => label(kind) !== '');
  return {
    id: Id,
    name: Name.slice(1),
    role: label('role'),
    unit: kind === undefined ? '' : `${kind}/${label(kind)}`,
    release: label('release'),
    image: Image,
    state: State.Status,
    startedAt: State.StartedAt,
    restarts: RestartCount,
    labels,
  };
}

/**
 * All that the engine holds of the architecture, one line each, without what differs from time to time by nature: the
 * random ending of a controller's and of a memory volume's name, and the number of the rollout in a data path's.
 */
export async function inventoryOf(architecture: string): Promise<string[]> {
  const filter = ['--filter', `label=${LABEL}architecture=${architecture}`, '--format', '{{.Name}}'];
  const [containers, networks, volumes] = await Promise.all([
    containersOf(architecture),
    docker('network', 'ls', ...filter),
    docker('volume', 'ls', ...filter),
  ]);
  return [
    ...containers.map(({ name, role, state, image }) => `${role} ${plainName(name)} ${state} ${image.slice(7, 19)}`),
    ...lines(networks).map((name) => `network ${name}`),
    ...lines(volumes).map((name) => `volume ${plainName(name)}`),
  ].toSorted();
}

const plainName = (name: string): string =>
  name
    .replace(/(\.controller\.[0-9a-f]{8}).*$/, '$1')
    .replace(/(\.path\.[0-9a-f]{8})\.\d+$/, '$1')
    .replace(/(\.slot\.memory|\.secrets)\.[0-9a-f]{8}$/, '$1');

/** The architecture's images, by their tags without its name: `catalog.api.configured:…` → image id. */
export async function imagesOf(architecture: string): Promise<Map<string, string>> {
  const prefix = `changeless/${architecture}/`;
  const listed = lines(await docker('images', '--no-trunc', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}', `${prefix}*`));
  return new Map(listed.map((line) => line.slice(prefix.length).split(' ') as [string, string]));
}

/** Removes every container of the architecture by force; volumes stay. A controller brings back what goes, so it goes first. */
export async function removeContainers(architecture: string): Promise<void> {
  for (const only of [['--filter', `label=${LABEL}role=controller`], []]) {
    const filters = ['--filter', `label=${LABEL}architecture=${architecture}`, ...only];
    const ids = lines(await docker('ps', '--all', '--quiet', ...filters));
    if (ids.length > 0) await run({ program: 'docker', words: ['rm', '--force', ...ids] });
  }
}

const removalRounds = 20;

/**
 * Removes all that the engine holds of the architecture, data and images included. Again and again, because the last call
 * of a controller may make something after its end, and the engine may still hold a network for a container that is gone.
 */
export async function removeAll(architecture: string): Promise<void> {
  const filter = ['--quiet', '--filter', `label=${LABEL}architecture=${architecture}`];
  for (let round = 0; round < removalRounds; round += 1) {
    await removeContainers(architecture);
    const [networks, volumes, images] = await Promise.all([
      docker('network', 'ls', ...filter),
      docker('volume', 'ls', ...filter),
      imagesOf(architecture),
    ]);
    const tags = [...images.keys()].map((tag) => `changeless/${architecture}/${tag}`);
    if (`${networks}${volumes}` === '' && tags.length === 0) return;
    if (volumes === '' && tags.length === 0 && round > 1 && (await areMiscounted(lines(networks)))) return;
    await Promise.all([
      removeEach(['network', 'rm'], lines(networks)),
      removeEach(['volume', 'rm', '--force'], lines(volumes)),
      removeEach(['rmi', '--force'], tags),
    ]);
  }
  throw new Error(`the engine still holds something of ${architecture}`);
}

/**
 * Docker 20.10 may go on counting an endpoint of a container that is gone, and keeps the network until it is restarted itself: nothing
 * is in it, and nobody but the engine can mend that.
 */
async function areMiscounted(networks: readonly string[]): Promise<boolean> {
  for (const network of networks) {
    const members = await docker('ps', '--all', '--quiet', '--filter', `network=${network}`);
    const { stderr } = await run({ program: 'docker', words: ['network', 'rm', network] });
    if (members !== '' || !stderr.includes('has active endpoints')) return false;
  }
  console.error(`the engine keeps networks that nothing is in: ${networks.join(', ')}`);
  return networks.length > 0;
}

/** Some may be gone by now, or not to be removed yet. */
async function removeEach(command: readonly string[], names: readonly string[]): Promise<void> {
  if (names.length > 0) await run({ program: 'docker', words: [...command, ...names] });
}

/** Kills what runs in a container from outside of it, as a crash would: `docker kill` tells the engine not to start it again. */
export type Executioner = { kill(container: string): Promise<void>; dispose(): Promise<void> };

/** A container that sees the processes of the engine's host. It ends with this process. */
export async function startExecutioner(): Promise<Executioner> {
  const words = ['run', '--rm', '--interactive', '--pid', 'host', '--network', 'none', 'debian:bookworm-slim', 'sh'];
  const shell = start({ program: 'docker', words });
  shell.tell('echo ready\n');
  await shell.said(/ready/);
  let kills = 0;
  return {
    async kill(container) {
      const pid = await docker('inspect', '--format', '{{.State.Pid}}', container);
      assert.match(pid, /^[1-9]\d*$/, `${container} has no process`);
      kills += 1;
      shell.tell(`kill -9 ${pid} && echo "killed ${kills}."\n`);
      await shell.said(new RegExp(`killed ${kills}\\.`));
    },
    async dispose() {
      shell.finish();
      await shell.ended;
    },
  };
}
