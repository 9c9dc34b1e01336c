import type { ComponentKey } from '../digest.ts';
import type { UnitName } from '../events.ts';

/** Why a component's key moved. `name`: of a base, an argument. */
export type ComponentReason = {
  input: 'tree' | 'dockerfile' | 'target' | 'tests' | 'platform' | 'builder' | 'argument' | 'base';
  name?: string;
  from?: string;
  to?: string;
};

/** One thing that differs between two releases in one environment. `from` or `to` is missing where one side has none. */
export type Difference =
  | { kind: 'changeless'; part: 'version' | 'controller' | 'proxy' | 'sandbox' | 'builder'; from?: string; to?: string }
  | { kind: 'unit'; unit: UnitName; change: 'added' | 'removed' }
  | { kind: 'service'; app: string; service: string; change: 'added' | 'removed' }
  | { kind: 'component'; component: string; from?: ComponentKey; to?: ComponentKey; why: readonly ComponentReason[] }
  /** A value of a service (`catalog/api`), an app or a store. `member` is its path: `['settings', 'LOG_LEVEL']`. */
  | { kind: 'value'; unit: UnitName; subject: string; member: readonly string[]; from?: string; to?: string }
  /** Another version of a secret is used by these. */
  | { kind: 'secret'; secret: string; users: readonly SecretUser[]; from?: number; to?: number }
  | JobDifference
  | { kind: 'route'; host: string; from?: string; to?: string }
  | { kind: 'publish'; from: readonly string[]; to: readonly string[] };

export type SecretUser = UnitName | { kind: 'job' | 'channel' | 'forge' | 'controller'; name: string };

/** A job, or a step of one, that is new or gone; or a value of it that is another one. */
export type JobDifference =
  | { kind: 'job'; job: string; step?: string; change: 'added' | 'removed' }
  | { kind: 'job-value'; job: string; step?: string; member: readonly string[]; from?: string; to?: string };

/** A difference as a sentence without full stop: `catalog/api: setting LOG_LEVEL is "debug", was "info"`. */
export function describeDifference(difference: Difference): string {
  switch (difference.kind) {
    case 'changeless':
      return `changeless: ${partNames[difference.part]} changed`;
    case 'unit':
      return `${difference.unit.kind} ${difference.unit.name} ${difference.change}`;
    case 'service':
      return `${difference.app}/${difference.service} ${difference.change}`;
    case 'component':
      return describeComponent(difference);
    case 'value':
      return `${difference.subject}: ${describeMember(difference.member)} ${moved(difference, isContents(difference.member))}`;
    case 'secret':
      return `secret ${difference.secret}: ${versions(difference)}`;
    case 'job':
      return `${jobWords(difference)} ${difference.change}`;
    case 'job-value':
      return `${jobWords(difference)}: ${describeMember(difference.member)} ${moved(difference, false)}`;
    case 'route':
      return describeRoute(difference);
    case 'publish':
      return `core: publishes ${difference.to.join(', ')}, was ${difference.from.join(', ')}`;
  }
}

const jobWords = ({ job, step }: JobDifference): string => `job ${job}${step === undefined ? '' : `, step ${step}`}`;

function versions({ from, to }: { from?: number; to?: number }): string {
  if (from === undefined) return `version ${to}`;
  return to === undefined ? `no longer used, was version ${from}` : `version ${from} -> ${to}`;
}

const partNames = {
  version: 'version',
  controller: 'the controller',
  proxy: 'the proxy of every data path',
  sandbox: 'the sandbox',
  builder: 'the builder',
};

/** Contents of a file, of a page and of a certificate are said to have changed, not shown. */
const isContents = (member: readonly string[]): boolean =>
  member[0] === 'files' || ['policy.maintenance.body', 'elsewhere.tls.ca'].includes(member.join('.'));

function moved({ from, to }: { from?: string; to?: string }, hidden: boolean): string {
  if (from === undefined) return hidden ? 'added' : `added: ${to}`;
  if (to === undefined) return hidden ? 'removed' : `removed, was ${from}`;
  return hidden ? 'changed' : `is ${to}, was ${from}`;
}

const collections: Readonly<Record<string, string>> = {
  settings: 'setting',
  files: 'file',
  writable: 'writable path',
  limits: 'limit',
  secrets: 'secret',
  parameters: 'parameter',
  matrix: 'axis',
  caches: 'cache',
};

function describeMember([first = '', ...rest]: readonly string[]): string {
  const collection = collections[first];
  return collection === undefined ? [first, ...rest].join('.') : `${collection} ${rest.join(' ')}`;
}

function describeRoute({ host, from, to }: { host: string; from?: string; to?: string }): string {
  if (from === undefined) return `core: ${host} leads to ${to}`;
  if (to === undefined) return `core: ${host} leads nowhere, was ${from}`;
  return `core: ${host} leads to ${to}, was ${from}`;
}

function describeComponent({ component, from, to, why }: Extract<Difference, { kind: 'component' }>): string {
  if (from === undefined) return `${component}: new image`;
  if (to === undefined) return `${component}: image no longer used`;
  return `${component}: ${why.map(describeReason).join('; ')}`;
}

function describeReason({ input, name, from, to }: ComponentReason): string {
  switch (input) {
    case 'tree':
      return 'source changed';
    case 'dockerfile':
      return `Dockerfile is ${to}, was ${from}`;
    case 'target':
      return `target ${moved({ ...(from !== undefined && { from }), ...(to !== undefined && { to }) }, false)}`;
    case 'tests':
      return 'tests changed';
    case 'platform':
      return `platform is ${to}, was ${from}`;
    case 'builder':
      return 'Changeless builds it differently';
    case 'argument':
      return `build argument ${name} ${moved({ ...(from !== undefined && { from }), ...(to !== undefined && { to }) }, false)}`;
    case 'base':
      return describeBase({ name: name ?? '', ...(from !== undefined && { from }), ...(to !== undefined && { to }) });
  }
}

function describeBase({ name, from, to }: { name: string; from?: string; to?: string }): string {
  if (from === undefined) return `base ${name} added`;
  if (to === undefined) return `base ${name} removed`;
  return `base ${name} is pinned to ${shortDigest(to)}, was ${shortDigest(from)}`;
}

const shortDigest = (digest: string): string => digest.slice(0, 'sha256:'.length + 12);
