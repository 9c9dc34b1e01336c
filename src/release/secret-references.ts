import { byCodeUnit } from '../canonical-json.ts';
import type { Architecture, Channel, UsedSecrets } from '../architecture/model.ts';
import { tlsSecrets } from './app-tls.ts';
import type { SealedSecrets } from './manifest.ts';
import { placedServices } from './way-out.ts';
import { environmentsOf, resolveEnvironment, type ResolvedArchitecture } from './resolve-environment.ts';

/** A version of a secret, and the file in which somebody gets it. */
export type SecretReference = { file: string; secret: string; version: number };

/** What somebody gets who uses these, by file. */
export const secretReferences = ({ secrets = {} }: ResolvedArchitecture, used: UsedSecrets): SecretReference[] =>
  Object.entries(used)
    .map(([secret, file]) => ({ file, secret, version: secrets[secret]?.version ?? 0 }))
    .toSorted((one, other) => byCodeUnit(one.file, other.file));

/** A version of a secret that somebody gets in an environment. */
export type UsedVersion = { secret: string; version: number; environment: string };

/** Every version that somebody gets, environment by environment; what is declared and used by nobody is none of them. */
export function usedVersions(architecture: Architecture, environments = environmentsOf(architecture)): UsedVersion[] {
  return environments.flatMap((environment) => {
    const resolved = resolveEnvironment(architecture, environment);
    return resolved.ok ? versionsIn(resolved.value).map((each) => ({ ...each, environment })) : [];
  });
}

function versionsIn(resolved: ResolvedArchitecture): Omit<UsedVersion, 'environment'>[] {
  const services = Object.values(resolved.apps).flatMap((app) => Object.values(placedServices(app)));
  const shown = Object.values(resolved.apps).flatMap(({ tls }) => (tls ? Object.keys(tlsSecrets(tls)) : []));
  const steps = Object.values(resolved.jobs ?? {}).flatMap((job) => job.steps.flat());
  const used = [
    ...shown,
    ...toldSecrets(resolved),
    ...(resolved.deliver?.secret === undefined ? [] : [resolved.deliver.secret]),
    ...[...services, ...Object.values(resolved.stores), ...steps].flatMap(({ secrets = {} }) => Object.keys(secrets)),
  ];
  return [...new Set(used)].toSorted(byCodeUnit).map((secret) => ({ secret, version: resolved.secrets?.[secret]?.version ?? 0 }));
}

/** What the controller itself opens: to tell channels and the forge. */
const toldSecrets = ({ channels = {}, forge }: ResolvedArchitecture): string[] => [
  ...Object.values(channels).flatMap((channel) => Object.keys(channelSecrets(channel))),
  ...(forge ? [forge.token] : []),
];

/** By name; they are in no file. */
export const channelSecrets = ({ webhook, secret }: Channel): UsedSecrets => ({
  ...(typeof webhook === 'string' ? {} : { [webhook.secret]: '' }),
  ...(secret === undefined ? {} : { [secret]: '' }),
});

/** The encrypted value; a manifest has it of everything that is used. */
export function sealedValue(sealed: SealedSecrets | undefined, { secret, version }: { secret: string; version: number }): string {
  const value = sealed?.[secret]?.[String(version)];
  if (value === undefined) throw new Error(`the manifest has no version ${version} of secret ${secret}`);
  return value;
}
