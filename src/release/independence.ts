import type { RolloutPolicy } from '../architecture/model.ts';
import type { ResolvedArchitecture } from './resolve-environment.ts';

/** Which apps go together where they are independent, every app in one group; and which stores each of them uses. */
export type Independence = { groups: readonly (readonly string[])[]; stores: Readonly<Record<string, readonly string[]>> };

/** Those that no group names go together. */
export function independenceOf(policy: Exclude<RolloutPolicy, 'together'>, apps: ResolvedArchitecture['apps']): Independence {
  const names = Object.keys(apps);
  const named = policy === 'per-app' ? names.map((name) => [name]) : Object.values(policy);
  const rest = names.filter((name) => !named.flat().includes(name));
  const storesOf = (name: string): string[] => Object.values(apps[name]?.services ?? {}).flatMap(({ stores }) => stores);
  return {
    groups: [...named, ...(rest.length > 0 ? [rest] : [])],
    stores: Object.fromEntries(names.map((name) => [name, [...new Set(storesOf(name))]])),
  };
}
