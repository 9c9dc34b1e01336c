import type { Replicas } from '../../src/architecture/model.ts';
import type { Request } from '../../src/request.ts';
import type { Manifest } from '../../src/release/manifest.ts';
import { app, sealRelease, service, streaming, type ReleaseChange } from './release-fixture.ts';
import { architecture, type RolloutWorld } from './rollout-world.ts';

/** The example with a catalog whose instances come and go. */
export const elastic = (range: Replicas = { min: 2, max: 5 }): NonNullable<ReleaseChange['architecture']> => {
  const { apps } = streaming();
  const catalog = app({ api: service({ replicas: range }), providers: service({ entry: false, replicas: 1 }) }, 'catalog.localhost');
  return streaming({ apps: { ...apps, catalog } });
};

export const elasticRelease = ({ engine }: RolloutWorld, change: ReleaseChange = {}): Manifest =>
  sealRelease(engine, { architecture: elastic(), ...change });

/** The catalog's instances that run, without their colour. */
export const instances = ({ engine }: RolloutWorld): string[] =>
  engine.world
    .inventory()
    .flatMap((line) => /: instance catalog\.(api-\d+)\.\w+ \S+ \S+ running/.exec(line)?.[1] ?? [])
    .toSorted();

/** The catalog's places of the service, both colours. */
export const places = ({ engine }: RolloutWorld): string[] =>
  engine.world.inventory().flatMap((line) => /: slot catalog\.(api-\d+\.\w+)\.slot /.exec(line)?.[1] ?? []);

/** Someone asks for so many, and goes away. */
export async function ask({ engine }: RolloutWorld, count: number, manifest: Manifest): Promise<void> {
  const request: Request = { ask: 'scale', app: 'catalog', service: 'api', count };
  await engine.ask(architecture, { name: `scale.${count}`, image: manifest.outputs.controller, request });
}

/** Asks, and resolves when it is so and nothing is left to do. */
export async function scale(world: RolloutWorld, count: number, manifest: Manifest): Promise<void> {
  await ask(world, count, manifest);
  await served(world, manifest);
}

/** Resolves when no request is left and nothing to do. */
export async function served(world: RolloutWorld, manifest: Manifest): Promise<void> {
  await world.until(() => !world.engine.world.inventory().some((line) => line.includes(': request ')));
  await world.settled(manifest);
}
