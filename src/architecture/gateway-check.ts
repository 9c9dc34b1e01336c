import type { Mistake } from './issues.ts';
import { isRecord, type KeyPath, valueAt } from './key-path.ts';
import { defaults } from './normalise.ts';
import { at, children, namesIn, unknownName } from './written.ts';

/** What contradicts something else in `gateway`. */
export const gatewayMistakes = (root: unknown): Mistake[] => [
  ...children(root, ['gateway', 'webhooks']).flatMap((path) => unknownSecret(root, [...path, 'secret'])),
  ...unknownSecret(root, ['gateway', 'git', 'secret']),
  ...idleGateways(root),
  ...reservedWebhooks(root),
  ...misplacedGateways(root),
];

/** One that takes nothing and tells nothing is a mistake. */
function idleGateways(root: unknown): Mistake[] {
  const gateway = valueAt(root, ['gateway']);
  if (!isRecord(gateway) || gateway['git'] !== undefined || gateway['api'] === true || namesIn(root, ['gateway', 'webhooks']).length > 0)
    return [];
  return [at('value', ['gateway'], 'expected at least one webhook, git, or api: true, found none of them')];
}

/** Deliveries of the git remote have that name for their source. */
const reservedWebhooks = (root: unknown): Mistake[] =>
  children(root, ['gateway', 'webhooks'])
    .filter((path) => path.at(-1) === 'git')
    .map((path) => at('key', path, 'expected another name of a webhook than git, which is what the git remote’s pushes are called'));

/** Environments say where the gateway is, not that there is one. */
const misplacedGateways = (root: unknown): Mistake[] =>
  children(root, ['environments'])
    .map((environment) => [...environment, 'gateway'])
    .filter((path) => isRecord(valueAt(root, path)) && !isRecord(valueAt(root, ['gateway'])))
    .map((path) => at('value', path, 'expected gateway in the architecture too, found none'));

/** What channels and forges name that is not there. */
export const toldMistakes = (root: unknown): Mistake[] => {
  const environments = children(root, ['environments']);
  const channels = [[], ...environments].flatMap((place: KeyPath) => children(root, [...place, 'channels']));
  return [
    ...channels.flatMap((path) => [...unknownSecret(root, [...path, 'webhook', 'secret']), ...unknownSecret(root, [...path, 'secret'])]),
    ...environments.flatMap((path) => unknownSecret(root, [...path, 'forge', 'token'])),
  ];
};

/** Where something is the name of a secret. */
export function unknownSecret(root: unknown, path: KeyPath): Mistake[] {
  const declared = namesIn(root, ['secrets']);
  const text = valueAt(root, path);
  return typeof text !== 'string' || declared.includes(text) ? [] : [at('value', path, unknownName('a name in secrets', text, declared))];
}

/** Where the gateway's host name in an environment is written. */
export function gatewayHosts(root: unknown, environment: string | undefined): { host: string; path: KeyPath; app: string }[] {
  if (!isRecord(valueAt(root, ['gateway']))) return [];
  const changed = ['environments', String(environment), 'gateway', 'host'];
  const path = environment !== undefined && valueAt(root, changed) !== undefined ? changed : ['gateway', 'host'];
  const host = valueAt(root, path);
  if (typeof host === 'string') return [{ host, path, app: 'gateway' }];
  return [{ host: defaults.gatewayHost, path: ['gateway'], app: 'gateway' }];
}
