import { leavingPort } from '../leaving-port.ts';
import type { Mistake } from './issues.ts';
import { entries, misplacedElsewhere, misusedStages } from './app-check.ts';
import { deliverMistakes } from './deliver-check.ts';
import { gatewayHosts, gatewayMistakes, toldMistakes, unknownSecret } from './gateway-check.ts';
import { isRecord, type KeyPath, keyText, valueAt } from './key-path.ts';
import { parsePublished } from './expectations.ts';
import { everyJobStep, jobMistakes } from './job-check.ts';
import { policyMistakes, type PolicyPlace } from './policy-check.ts';
import { at, children, endsOf, last, namesIn, texts, unknownName } from './written.ts';

/** Words that name parts of every architecture. */
export const reservedNames = [
  'agent',
  'app',
  'blue',
  'changeless',
  'controller',
  'core',
  'elsewhere',
  'gateway',
  'green',
  'ledger',
  'localhost',
  'path',
  'preview',
  'proxy',
  'sandbox',
  'store',
] as const;

/**
 * What contradicts something else in the architecture. Takes the value as written, however broken: parts of the wrong kind
 * are passed over (the schema names them), so that all mistakes are found at once.
 */
export function crossCheck(root: unknown): Mistake[] {
  return [
    ...reservedWords(root),
    ...sharedNames(root),
    ...children(root, ['apps']).flatMap((path) => [
      ...entries(root, path),
      ...misusedStages(root, path),
      ...usedStores(root, path),
      ...repeatedSteps(root, path),
    ]),
    ...environmentNames(root).flatMap((environment) => sharedHosts(root, environment)),
    ...children(root, ['environments']).flatMap((path) => unknownNames(root, path)),
    ...publishLists(root).flatMap((path) => sharedPorts(root, path)),
    ...children(root, ['stores']).flatMap((path) => [...dataInMemory(root, path), ...upgradeToNothing(root, path)]),
    ...rolloutGroups(root),
    ...appPaths(root).flatMap((path) => policyMistakes(root, policyPlace(root, path))),
    ...appPaths(root).flatMap((path) => misplacedElsewhere(root, path)),
    ...appPaths(root).flatMap((path) => unknownTlsSecrets(root, [...path, 'tls'])),
    ...environmentNames(root).flatMap((environment) => unpublishedTls(root, environment)),
    ...gatewayMistakes(root),
    ...toldMistakes(root),
    ...deliverMistakes(root),
    ...containers(root).flatMap((path) => [...usedSecrets(root, path), ...hiddenBySecrets(root, path)]),
    ...environmentNames(root).flatMap((name) =>
      name === undefined ? [] : absent(root, children(root, ['environments', name, 'secrets']), ['secrets']),
    ),
    ...replicaPaths(root).flatMap(({ path, service }) => elastic(root, path, service)),
    ...jobMistakes(root),
  ];
}

function reservedWords(root: unknown): Mistake[] {
  const apps = children(root, ['apps']);
  const services = apps.flatMap((path) => children(root, [...path, 'services']));
  const named = [...apps, ...services, ...children(root, ['stores']), ...children(root, ['agents'])];
  const reserved = named.filter((path) => reservedNames.some((word) => word === last(path)));
  return reserved.map((path) =>
    at('key', path, `the name ${last(path)} is reserved for a part that every architecture has; expected another`),
  );
}

// Apps and stores are called by one word on the command line, and their containers by it on the engine.
function sharedNames(root: unknown): Mistake[] {
  const apps = namesIn(root, ['apps']);
  const shared = children(root, ['stores']).filter((path) => apps.includes(last(path)));
  return shared.map((path) => at('key', path, `a store and an app (apps.${last(path)}) have one name; expected a name of its own`));
}

function usedStores(root: unknown, app: KeyPath): Mistake[] {
  const stores = namesIn(root, ['stores']);
  return children(root, [...app, 'services']).flatMap((service) => {
    const used = texts(root, [...service, 'stores']);
    const unknown = used.filter(({ text }) => !stores.includes(text));
    const clashing = used.filter(({ text }) => namesIn(root, [...app, 'services']).includes(text));
    return [
      ...unknown.map(({ path, text }) => at('value', path, unknownName('a store', text, stores))),
      ...clashing.map(({ path, text }) =>
        at(
          'value',
          path,
          `a service of this app is called ${text} too, so the name would mean both; expected a store with a name of its own`,
        ),
      ),
    ];
  });
}

// A step's container and its log are found by its name.
function repeatedSteps(root: unknown, app: KeyPath): Mistake[] {
  return children(root, [...app, 'services']).flatMap((service) => {
    const before = [...service, 'steps', 'before'];
    const again = children(root, [...service, 'steps', 'after']).filter((path) => namesIn(root, before).includes(last(path)));
    return again.map((path) => {
      const other = [...before, last(path)];
      return {
        ...at('key', path, `expected a name that no other step of the service has, found ${last(path)}, which is at ${keyText(other)}`),
        other,
      };
    });
  });
}

type HostPlace = { host: string; path: KeyPath; app: string };

// A host name that two apps share is one mistake, however many environments have it: only what an environment itself says is told again.
function sharedHosts(root: unknown, environment: string | undefined): Mistake[] {
  const seen = new Map<string, HostPlace>();
  const mistakes: Mistake[] = [];
  const places = [...children(root, ['apps']).flatMap((app) => hostsOf(root, app, environment)), ...gatewayHosts(root, environment)];
  for (const place of places) {
    const first = seen.get(place.host);
    if (first === undefined) seen.set(place.host, place);
    else if (environment === undefined || place.path[0] === 'environments' || first.path[0] === 'environments')
      mistakes.push(sharedHost(first, place, environment));
  }
  return mistakes;
}

function sharedHost(first: HostPlace, second: HostPlace, environment: string | undefined): Mistake {
  const [told, other] = second.path[0] === 'environments' || first.path[0] === 'apps' ? [second, first] : [first, second];
  const where = environment === undefined ? '' : ` in environment ${environment}`;
  const whose = other.app === told.app ? 'is already named' : `app ${other.app} has`;
  const what = `expected a host name that no other app has${where}, found ${told.host}, which ${whose} at ${keyText(other.path)}`;
  return { ...at('value', told.path, what), other: other.path };
}

function hostsOf(root: unknown, app: KeyPath, environment: string | undefined): HostPlace[] {
  const name = last(app);
  const changed = environment === undefined ? undefined : ['environments', environment, 'apps', name, 'hosts'];
  const path = changed !== undefined && Array.isArray(valueAt(root, changed)) ? changed : [...app, 'hosts'];
  if (valueAt(root, path) === undefined) return [{ host: `${name}.localhost`, path: app, app: name }];
  return texts(root, path).map(({ text, path: place }) => ({ host: text, path: place, app: name }));
}

function unknownNames(root: unknown, environment: KeyPath): Mistake[] {
  const changed = (kind: string) => children(root, [...environment, kind]);
  const mistakes = ['apps', 'stores'].flatMap((kind) => absent(root, changed(kind), [kind]));
  const services = changed('apps').flatMap((app) => absent(root, children(root, [...app, 'services']), ['apps', last(app), 'services']));
  return [...mistakes, ...services];
}

function absent(root: unknown, changed: readonly KeyPath[], declaredAt: KeyPath): Mistake[] {
  if (!isRecord(valueAt(root, declaredAt)) && declaredAt.length > 1) return [];
  const declared = namesIn(root, declaredAt);
  const unknown = changed.filter((path) => !declared.includes(last(path)));
  return unknown.map((path) => at('key', path, unknownName(`a name in ${keyText(declaredAt)}`, last(path), declared)));
}

const publishLists = (root: unknown): KeyPath[] => [
  ['core', 'publish'],
  ...children(root, ['environments']).map((environment) => [...environment, 'core', 'publish']),
];

/** What is not said has its port of its own only beside what is said in the same place: the rest an environment may change. */
function sharedPorts(root: unknown, path: KeyPath): Mistake[] {
  const list = valueAt(root, path);
  const metrics = [...path.slice(0, -1), 'metrics'];
  const places = [...(Array.isArray(list) ? list.map((_, index) => [...path, index]) : []), metrics];
  const spelt = places.map((place) => publishedText(valueAt(root, place)));
  return places.flatMap((place, index) => {
    const other = places[spelt.indexOf(spelt[index])];
    if (spelt[index] === undefined || other === undefined || other === place) return [];
    const what = `expected each port once, found ${spelt[index]} again, which is at ${keyText(other)}`;
    return [{ ...at('value', place, what), other }];
  });
}

function publishedText(item: unknown): string | undefined {
  const published = typeof item === 'string' ? parsePublished(item) : isRecord(item) ? item : { port: item };
  const { address = '127.0.0.1', port } = published ?? {};
  return typeof port === 'number' && typeof address === 'string' ? `${address}:${port}` : undefined;
}

function dataInMemory(root: unknown, store: KeyPath): Mistake[] {
  const data = valueAt(root, [...store, 'data']);
  const writable = valueAt(root, [...store, 'writable']);
  const paths = Array.isArray(writable) ? writable : isRecord(writable) ? Object.keys(writable) : [];
  return paths.includes(data)
    ? [at('value', [...store, 'writable'], `${String(data)} is where the kept volume is mounted; memory there would lose the data`)]
    : [];
}

/** Whatever may get secrets. */
const containers = (root: unknown): KeyPath[] => [
  ...children(root, ['apps']).flatMap((app) => children(root, [...app, 'services'])),
  ...children(root, ['stores']),
  ...everyJobStep(root),
];

function usedSecrets(root: unknown, container: KeyPath): Mistake[] {
  const path = [...container, 'secrets'];
  const declared = namesIn(root, ['secrets']);
  const listed = texts(root, path).map(({ text, path: place }) => ({ text, path: place, at: 'value' as const, file: text }));
  const mapped = children(root, path).map((place) => ({ text: last(place), path: place, at: 'key' as const, file: valueAt(root, place) }));
  const used = [...listed, ...mapped];
  return used.flatMap(({ text, path: place, at: where, file }, index) => {
    if (!declared.includes(text)) return [at(where, place, unknownName('a name in secrets', text, declared))];
    const first = used.find((other) => other.file === file);
    if (first === used[index] || first === undefined) return [];
    const what = `expected a file of its own, found ${String(file)}, which is at ${keyText(first.path)}`;
    return [{ ...at('value', place, what), other: first.path }];
  });
}

const unknownTlsSecrets = (root: unknown, tls: KeyPath): Mistake[] =>
  ['certificate', 'key'].flatMap((key) => unknownSecret(root, [...tls, key]));

// Where the architecture itself publishes none, it is told once.
function unpublishedTls(root: unknown, environment: string | undefined): Mistake[] {
  const changed = ['environments', String(environment)];
  const own = [...changed, 'core', 'publish'];
  const isOwn = environment !== undefined && Array.isArray(valueAt(root, own));
  const list = valueAt(root, isOwn ? own : ['core', 'publish']);
  if (Array.isArray(list) && list.some((item) => isRecord(item) && item['tls'] === true)) return [];
  const said = (path: KeyPath): KeyPath[] => (isRecord(valueAt(root, [...path, 'tls'])) ? [[...path, 'tls']] : []);
  const inherited = environment === undefined || isOwn ? children(root, ['apps']).flatMap(said) : [];
  const changes = environment === undefined ? [] : children(root, [...changed, 'apps']).flatMap(said);
  const where = environment === undefined ? '' : ` in environment ${environment}`;
  return [...inherited, ...changes].map((path) =>
    at('value', path, `expected a port that is published for TLS, { port: 8443, tls: true } in core.publish, found none${where}`),
  );
}

/** What is written there would never be seen. */
function hiddenBySecrets(root: unknown, container: KeyPath): Mistake[] {
  if (valueAt(root, [...container, 'secrets']) === undefined) return [];
  const isHidden = (path: string): boolean => path === '/run/secrets' || path.startsWith('/run/secrets/');
  const places = ['files', 'writable'].flatMap((kind) => [
    ...children(root, [...container, kind]).map((path) => ({ path, at: 'key' as const, text: last(path) })),
    ...texts(root, [...container, kind]).map(({ path, text }) => ({ path, at: 'value' as const, text })),
  ]);
  const hidden = places.filter(({ text }) => isHidden(text));
  return hidden.map(({ path, at: where, text }) =>
    at(where, path, `expected a path outside /run/secrets, where its secrets are, found ${text}`),
  );
}

/** Every app a group names exists, and is in no other group. */
function rolloutGroups(root: unknown): Mistake[] {
  const apps = namesIn(root, ['apps']);
  const named = children(root, ['rollout']).flatMap((group) => texts(root, group));
  return named.flatMap(({ text, path }, index) => {
    if (!apps.includes(text)) return [at('value', path, unknownName('an app', text, apps))];
    const first = named.findIndex((each) => each.text === text);
    const other = named[first]?.path;
    if (first === index || other === undefined) return [];
    return [{ ...at('value', path, `expected each app in one group, found ${text} again, which is at ${keyText(other)}`), other }];
  });
}

/** Where an app is written, and where an environment changes one. */
const appPaths = (root: unknown): KeyPath[] => [
  ...children(root, ['apps']),
  ...children(root, ['environments']).flatMap((environment) => children(root, [...environment, 'apps'])),
];

/** A rule may name a host that the app has in some environment only. */
function policyPlace(root: unknown, path: KeyPath): PolicyPlace {
  const app = path.slice(path.indexOf('apps'));
  const hosts = environmentNames(root).flatMap((environment) => hostsOf(root, app, environment).map(({ host }) => host));
  return { policy: [...path, 'policy'], app, hosts: [...new Set(hosts)] };
}

/** Where replicas are said, and of which service. */
function replicaPaths(root: unknown): { path: KeyPath; service: KeyPath }[] {
  const services = appPaths(root).flatMap((app) => children(root, [...app, 'services']));
  return services.map((path) => ({ path: [...path, 'replicas'], service: path.slice(path.indexOf('apps')) }));
}

function elastic(root: unknown, path: KeyPath, service: KeyPath): Mistake[] {
  const replicas = valueAt(root, path);
  if (!isRecord(replicas)) return [];
  const ends = endsOf(root, service.slice(0, -2));
  const isEntry = (ends.length === 1 && ends.includes(last(service))) || valueAt(root, [...service, 'entry']) === true;
  const asks = replicas['metric'] === 'requests' && !isEntry;
  const port = valueAt(root, [...service, 'port']);
  return [
    ...(asks ? [at('value', [...path, 'metric'], 'only requests to the entry of an app are counted; expected cpu, found requests')] : []),
    ...(port === leavingPort
      ? [at('value', path, `an instance that leaves is said to on port ${leavingPort}, which is the service's; expected another port`)]
      : []),
  ];
}

function upgradeToNothing(root: unknown, store: KeyPath): Mistake[] {
  const isSaid = (key: string): boolean => valueAt(root, [...store, key]) !== undefined;
  return isSaid('upgrade') && !isSaid('format')
    ? [at('value', [...store, 'upgrade'], 'an upgrade makes the data of another format; expected format beside it, found none')]
    : [];
}

const environmentNames = (root: unknown): (string | undefined)[] => [undefined, ...namesIn(root, ['environments'])];
