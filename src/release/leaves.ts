import { byCodeUnit, canonicalJson, type Json } from '../canonical-json.ts';

/** A leaf that one of two values has otherwise than the other, as canonical JSON. `member`: its path. */
export type MovedLeaf = { member: readonly string[]; from?: string; to?: string };

/** Compares leaf by leaf, in a fixed order; a list is one leaf. */
export function movedLeaves(old: Json, next: Json): MovedLeaf[] {
  const [before, after] = [leavesOf(old, []), leavesOf(next, [])];
  return [...new Set([...before.keys(), ...after.keys()])].toSorted(byCodeUnit).flatMap((key): MovedLeaf[] => {
    const [from, to] = [before.get(key), after.get(key)];
    if (from === to) return [];
    return [{ member: JSON.parse(key) as string[], ...(from !== undefined && { from }), ...(to !== undefined && { to }) }];
  });
}

function leavesOf(value: Json | undefined, path: readonly string[]): Map<string, string> {
  if (value === undefined) return new Map();
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return new Map([[JSON.stringify(path), canonicalJson(value)]]);
  return new Map(Object.entries(value).flatMap(([name, member]) => [...leavesOf(member, [...path, name])]));
}

/** The names that either has. */
export const namesOf = (a: object, b: object): string[] => [...new Set([...Object.keys(a), ...Object.keys(b)])].toSorted(byCodeUnit);
