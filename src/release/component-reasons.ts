import { byCodeUnit, canonicalJson } from '../canonical-json.ts';
import type { ComponentReason } from './difference.ts';
import type { ComponentInputs } from './manifest.ts';

/** Every input that differs, in the order in which people look for causes. */
export function componentReasons(from: ComponentInputs, to: ComponentInputs): ComponentReason[] {
  return [
    ...(['tree', 'dockerfile', 'target', 'platform', 'builder'] as const).flatMap((input) => reason({ input }, from[input], to[input])),
    ...(canonicalJson(from.tests) === canonicalJson(to.tests) ? [] : [{ input: 'tests' as const }]),
    ...recordReasons('argument', from.arguments, to.arguments),
    ...recordReasons('base', from.bases, to.bases),
  ];
}

function recordReasons(
  input: 'argument' | 'base',
  from: Readonly<Record<string, string>>,
  to: Readonly<Record<string, string>>,
): ComponentReason[] {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].toSorted(byCodeUnit);
  return names.flatMap((name) => reason({ input, name }, from[name], to[name]));
}

const reason = (about: Pick<ComponentReason, 'input' | 'name'>, from: string | undefined, to: string | undefined): ComponentReason[] =>
  from === to ? [] : [{ ...about, ...(from !== undefined && { from }), ...(to !== undefined && { to }) }];
