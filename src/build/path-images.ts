import { byCodeUnit } from '../canonical-json.ts';
import type { App, Elsewhere, Store } from '../architecture/model.ts';
import { renderAppPath } from '../datapath/app-path.ts';
import { renderCore } from '../datapath/core-path.ts';
import type { Origin } from '../datapath/elsewhere-config.ts';
import type { PathConfig } from '../datapath/path-config.ts';
import { renderStorePath } from '../datapath/store-path.ts';
import { digestOf, type ComponentKey, type ImageId } from '../digest.ts';
import { colours, type Colour } from '../engine/engine.ts';
import type { AssembleRequest, TreeFile } from '../engine/image.ts';
import { labels } from '../engine/labels.ts';
import type { UnitName } from '../events.ts';
import { certificateFile, redirectPort } from '../release/app-tls.ts';
import { routesOf, type Generations } from '../release/generation.ts';
import type { Generation } from '../release/manifest.ts';
import type { ResolvedArchitecture } from '../release/resolve-environment.ts';
import { placedServices } from '../release/way-out.ts';
import { secretsPath } from '../secrets-path.ts';
import { wayBackPort } from '../way-back.ts';
import { pathTag } from './image-names.ts';

/** A data path of one generation in one colour, and its configurations. The core's has only `blue`. */
export type PathImage = { unit: UnitName; generation: Generation; colour: Colour; config: PathConfig; tag: string };

/** Where a data path with TLS finds its certificate. */
export const certificatePath = `${secretsPath}/${certificateFile}`;

/** Where the proxy image looks for its two configurations. */
const configFolder = '/etc/changeless/path';

/** How long a store's path goes on with what it holds once it was told to stop. */
const storeDrainLimitMs = 30_000;

/** Every data path an environment needs. */
export function pathImages(architecture: ResolvedArchitecture, generations: Generations): PathImage[] {
  const image = (unit: UnitName, generation: Generation, rendered: { colour: Colour; config: PathConfig }): PathImage => ({
    unit,
    generation,
    ...rendered,
    tag: pathTag({ architecture: architecture.name, unit: unit.name, generation: generation.id, colour: rendered.colour }),
  });
  const core = image({ kind: 'core', name: 'core' }, generations.core, {
    colour: 'blue',
    config: renderCore(coreOf(architecture, generations.core)),
  });
  const stores = Object.entries(architecture.stores).flatMap(([name, store]) => {
    const generation = generationOf(generations.stores, name);
    return colours.map((colour) =>
      image({ kind: 'store', name }, generation, { colour, config: renderStorePath(storeOf({ name, store, generation, colour })) }),
    );
  });
  const apps = Object.entries(architecture.apps).flatMap(([name, app]) => {
    const generation = generationOf(generations.apps, name);
    return colours.map((colour) =>
      image({ kind: 'app', name }, generation, {
        colour,
        config: { ...renderAppPath({ app: name, ...appOf(app, generation, colour), ...tlsOf(architecture, app) }), ...filesOf(app) },
      }),
    );
  });
  return [core, ...stores, ...apps];
}

/** The configurations under the names the proxy image knows them by. */
export const configFiles = (folder: string, { waiting, proxy, leaving, files = [] }: PathConfig): readonly TreeFile[] => [
  { path: `${folder}/waiting.cfg`, contents: waiting },
  { path: `${folder}/proxy.cfg`, contents: proxy },
  ...(leaving === undefined ? [] : [{ path: `${folder}/leaving.cfg`, contents: leaving }]),
  ...files,
];

/** The micro layer on the proxy image. */
export const pathRequest = (
  { unit, generation, colour, config, tag }: PathImage,
  proxy: { id: ImageId; key: ComponentKey; architecture: string },
): AssembleRequest => ({
  base: proxy.id,
  files: configFiles(configFolder, config),
  change: {
    labels: {
      [labels.architecture]: proxy.architecture,
      [labels[unit.kind]]: unit.name,
      [labels.role]: 'path',
      [labels.key]: proxy.key,
      [labels.generation]: generation.id,
      [labels.body]: generation.body,
      ...(unit.kind !== 'core' && { [labels.colour]: colour }),
    },
  },
  tag,
});

const coreOf = (architecture: ResolvedArchitecture, { id }: Generation) => ({
  generation: id,
  ...architecture.core,
  showsMetrics: architecture.core.metrics !== undefined,
  routes: Object.entries(routesOf(architecture)).map(([host, app]) => ({ host, app, tls: architecture.apps[app]?.tls !== undefined })),
});

type StoreInColour = { name: string; store: Store; generation: Generation; colour: Colour };

const storeOf = ({ name, store: { port, health }, generation: { id }, colour }: StoreInColour) => ({
  generation: id,
  port,
  server: `${name}.server.${colour}`,
  health,
  holdLimitMs: health.timeoutMs,
  drainLimitMs: storeDrainLimitMs,
});

/** By what is in it, so that the files of several data paths can lie beside one another where they are checked. */
const authoritiesPath = (ca: string): string => `${configFolder}/authorities-${digestOf(ca).slice(0, 16)}.pem`;

function elsewhereOf({ tls, ...origin }: Elsewhere): Origin {
  if (tls === undefined) return origin;
  return { ...origin, tls: { name: tls.name, ...(tls.ca !== undefined && { ca: authoritiesPath(tls.ca) }) } };
}

// Sorted: the order in which services are written down is not in the generation's id, so it may not be in its image.
function appOf(app: App, { id }: Generation, colour: Colour) {
  const { drain, policy, stages = [], elsewhere } = app;
  const sorted = Object.entries(placedServices(app)).toSorted(([a], [b]) => byCodeUnit(a, b));
  const entry = sorted.find(([, service]) => service.entry)?.[0];
  if (entry === undefined) throw new Error('an app without entry');
  return {
    generation: id,
    colour,
    entry,
    services: sorted.map(([name, { port, replicas, health }]) => ({ name, port, replicas, health })),
    drainLimitMs: drain.limitMs,
    ...(policy && { policy }),
    ...(stages.length > 0 && { stages: stages.map((service, index) => ({ service, port: wayBackPort(colour, index) })) }),
    ...(elsewhere && { elsewhere: elsewhereOf(elsewhere) }),
  };
}

function filesOf({ elsewhere }: App): Pick<PathConfig, 'files'> {
  const ca = elsewhere?.tls?.ca;
  return ca === undefined ? {} : { files: [{ path: authoritiesPath(ca), contents: ca }] };
}

const tlsOf = (architecture: ResolvedArchitecture, { tls }: App) =>
  tls && { tls: { certificate: certificatePath, redirectPort: redirectPort(architecture, tls) } };

function generationOf(generations: Readonly<Record<string, Generation>>, name: string): Generation {
  const found = generations[name];
  if (found === undefined) throw new Error(`no generation of ${name}`);
  return found;
}
