import { didYouMean } from './closest.ts';
import type { Mistake } from './issues.ts';
import { isRecord, type KeyPath, valueAt } from './key-path.ts';

// What was written, however broken it is: parts of the wrong kind are passed over.

/** Paths of an object's members. */
export function children(root: unknown, path: KeyPath): (string | number)[][] {
  const value = valueAt(root, path);
  return isRecord(value) ? Object.keys(value).map((key) => [...path, key]) : [];
}

/** Texts of a list, and where each is. */
export function texts(root: unknown, path: KeyPath): { text: string; path: KeyPath }[] {
  const value = valueAt(root, path);
  if (!Array.isArray(value)) return [];
  return value.flatMap((item, index) => (typeof item === 'string' ? [{ text: item, path: [...path, index] }] : []));
}

export const namesIn = (root: unknown, path: KeyPath): string[] => children(root, path).map(last);

/** Services of an app that are none of its stages: the entry is among them. */
export function endsOf(root: unknown, app: KeyPath): string[] {
  const stages = new Set(texts(root, [...app, 'stages']).map(({ text }) => text));
  return namesIn(root, [...app, 'services']).filter((name) => !stages.has(name));
}

export const last = (path: KeyPath): string => String(path.at(-1));

export const at = (place: Mistake['at'], path: KeyPath, what: string): Mistake => ({ path, at: place, what });

/** A sentence that says what there is, and what may have been meant. */
export function unknownName(expected: string, found: string, known: readonly string[]): string {
  const list = known.length === 0 ? 'there is none' : known.join(', ');
  return `expected ${expected} (${list}), found ${found}${didYouMean(found, known)}`;
}
