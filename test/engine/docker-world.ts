import assert from 'node:assert/strict';
import type { ImageId } from '../../src/digest.ts';
import { DockerClient } from '../../src/engine/docker/client.ts';
import { defaultAddress, dockerAddress } from '../../src/engine/docker/address.ts';
import { inspectContainer, listContainers, removeContainer, signalContainer } from '../../src/engine/docker/containers.ts';
import { openDockerEngine, type DockerEngine } from '../../src/engine/docker/docker-engine.ts';
import { engineName, ofArchitecture } from '../../src/engine/docker/names.ts';
import { readLog } from '../../src/engine/docker/logs.ts';
import { listNetworks } from '../../src/engine/docker/networks.ts';
import type { InspectedContainer, VendorVolume } from '../../src/engine/docker/vendor.ts';
import { identityVolume } from '../../src/engine/engine.ts';
import { secretsPath } from '../../src/secrets-path.ts';
import type { AssembleRequest } from '../../src/engine/image.ts';
import { labels } from '../../src/engine/labels.ts';
import type { EngineWorld } from './contract-fixture.ts';

const BASE = 'debian:bookworm-slim';
let worlds = 0;

const LOGGED = 3000;

/**
 * Plays a data path: it says what a path says, holds on HUP, serves on USR2 and ends on USR1. On WINCH it tells measures, and then as
 * much in its access log as comes with them under load.
 */
const waiter = (healthy: boolean): string => `#!/bin/sh
exec 3>&1 1>&2
state=waiting
trap 'state=holding; echo "{\\"changeless\\":\\"holding\\"}"' HUP
trap 'state=serving; echo "{\\"changeless\\":\\"serving\\"}"' USR2
trap 'echo "{\\"changeless\\":\\"serving\\",\\"measures\\":{\\"number\\":1,\\"spanMs\\":1000,\\"requests\\":7,\\"answers\\":{\\"2xx\\":7}}}"; seq ${LOGGED} >&3' WINCH
trap '[ $state = serving ] && echo "{\\"changeless\\":\\"draining\\",\\"connections\\":1}"; exit 0' USR1
echo '{"changeless":"checking","failing":[{"server":"api","asked":"GET /","check":"L7STS","code":502,"detail":"Bad Gateway"}]}'
${healthy ? `echo '{"changeless":"healthy"}'` : ''}
while :; do sleep 600 & wait $!; done
`;

/** A world on the real engine: its own architecture name, and images made of one base with \`sh\`. */
export type DockerWorld = EngineWorld & { engine: DockerEngine; client: DockerClient; inspect(name: string): Promise<InspectedContainer> };

export const engineHost = defaultAddress();

export async function makeDockerWorld(host = engineHost): Promise<DockerWorld> {
  const engine = openDockerEngine({ host });
  const address = dockerAddress(host);
  assert.ok(address);
  const client = new DockerClient(address);
  const run = process.env['CHANGELESS_TEST_RUN'] ?? 'eng';
  // Files run side by side, each in a process of its own.
  const architecture = `${run}-p${process.pid}-${++worlds}`;
  const images = await makeImages(engine, architecture);
  const containerOf = async (name: string): Promise<InspectedContainer> => {
    const path = `/containers/${engineName(architecture, name)}/json`;
    return client.json<InspectedContainer>({ path });
  };
  const inVolume = (volume: string, script: string): Promise<string> => inside(engineName(architecture, volume), script);
  const inside = async (volume: string, script: string): Promise<string> => {
    const { exitCode, stdout } = await engine.images.runOnce({
      image: images.service,
      command: ['sh', '-c', script],
      labels: { [labels.architecture]: architecture },
      network: 'none',
      volumes: [{ volume, path: '/volume', writable: true }],
      readOnly: false,
      limitMs: 30_000,
    });
    assert.equal(exitCode, 0);
    return stdout;
  };
  return {
    engine,
    client,
    architecture,
    images,
    inspect: containerOf,
    async killInstance(name) {
      const { Id } = await containerOf(name);
      const ended = client.bytes({ method: 'POST', path: `/containers/${Id}/wait`, long: true });
      await signalContainer(client, Id, 'SIGKILL');
      await ended;
    },
    async measure(path) {
      const container = engineName(architecture, path);
      await signalContainer(client, container, 'SIGWINCH');
      const signal = AbortSignal.timeout(30_000);
      for await (const { line } of readLog(client, container, { follow: true, signal, only: 'stdout' }))
        if (line === String(LOGGED)) return;
      throw new Error('its access log was not written');
    },
    // It has done something to be there at all.
    use: async () => {},
    volumes: {
      write: async (volume, contents) => void (await inVolume(volume, `printf %s '${contents}' > /volume/file`)),
      read: async (volume) => inVolume(volume, 'cat /volume/file'),
    },
    async secretsOf(name) {
      const member = await inspectContainer(client, engineName(architecture, name));
      const volume = member?.HostConfig.Mounts?.find(({ Target }) => Target === secretsPath)?.Source;
      if (volume === undefined) return {};
      const said = await inside(volume, 'cd /volume && for file in *; do [ -f "$file" ] && echo "$file $(base64 -w0 "$file")"; done; true');
      const lines = said.split('\n').filter((line) => line !== '');
      return Object.fromEntries(
        lines.map((line) => line.split(' ')).map(([file, value]) => [file, Buffer.from(value ?? '', 'base64').toString()]),
      );
    },
    keys: async () => (await inVolume(identityVolume, 'for file in /volume/*.txt; do cat $file; echo; done')).trim().split('\n'),
    async breakCopy(copy) {
      const broken = await engine.copyVolume(architecture, { ...copy, image: `sha256:${'0'.repeat(64)}` as ImageId });
      assert.equal(broken.ok, false);
    },
    dispose: () => dispose({ engine, client, architecture }),
  };
}

async function makeImages(engine: DockerEngine, architecture: string): Promise<EngineWorld['images']> {
  const base = await engine.images.inspect(BASE);
  assert.ok(base, `${BASE} is not on the engine`);
  const forever = ['sleep', 'infinity'];
  const request = (name: string, script?: string): AssembleRequest => ({
    base: base.id,
    files:
      script === undefined ? [{ path: `/world/${name}`, contents: architecture }] : [{ path: '/waiter.sh', contents: script, mode: 0o755 }],
    change: { entrypoint: script === undefined ? forever : ['/waiter.sh'], command: [], stopSignal: 'SIGKILL' },
    tag: `changeless-test/${name}:${architecture}`,
  });
  const requests = [
    request('sandbox'),
    request('service'),
    request('controller'),
    request('healthy', waiter(true)),
    request('unhealthy', waiter(false)),
    request('step', '#!/bin/sh\nexit 3\n'),
  ];
  const [sandbox, service, controller, healthy, unhealthy, step] = (await engine.images.assemble(requests)) as [
    ImageId,
    ImageId,
    ImageId,
    ImageId,
    ImageId,
    ImageId,
  ];
  return { sandbox, service, step, controller, path: { healthy, unhealthy } };
}

async function dispose({ engine, client, architecture }: Pick<DockerWorld, 'engine' | 'client' | 'architecture'>): Promise<void> {
  const containers = await listContainers(client, [ofArchitecture(architecture)]);
  await Promise.all(containers.map(({ Id }) => removeContainer(client, Id)));
  const networks = await listNetworks(client, architecture);
  await Promise.all(networks.map(({ Id }) => client.did({ method: 'DELETE', path: `/networks/${Id}` }, 404)));
  const query = { filters: { label: [ofArchitecture(architecture)] } };
  const { Volumes } = await client.json<{ Volumes: VendorVolume[] | null }>({ path: '/volumes', query });
  await Promise.all((Volumes ?? []).map(({ Name }) => client.did({ method: 'DELETE', path: `/volumes/${Name}` }, 404)));
  const images = await engine.images.list({ reference: 'changeless-test/*' });
  const tags = images.flatMap((image) => image.tags).filter((tag) => tag.endsWith(`:${architecture}`));
  await Promise.all(tags.map((tag) => engine.images.remove(tag)));
}
