import type { z } from 'zod';
import { closest } from './closest.ts';
import { type KeyPath, valueAt } from './key-path.ts';

/**
 * A mistake at a key, before it is known where in the source that key is. `at`: whether its name or its value is wrong.
 * `other`: the key it contradicts, named at the end of `what`.
 */
export type Mistake = { path: KeyPath; at: 'key' | 'value'; what: string; other?: KeyPath };

type Issue = z.core.$ZodIssue;
type UnionIssue = z.core.$ZodIssueInvalidUnion;

/** What zod found, in the words of the message style: what was expected, and what was found. */
export const mistakesOf = (issues: readonly Issue[], root: unknown): Mistake[] => issues.flatMap((issue) => mistakes(issue, root));

function mistakes(issue: Issue, root: unknown): Mistake[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, issue.message));
  if (issue.code === 'invalid_key')
    return [{ path, at: 'key', what: `expected ${issue.issues[0]?.message}, found ${describe(path.at(-1))}` }];
  if (issue.code === 'invalid_union') return unionMistakes(issue, path, root);
  return [wrong(path, expectation(issue), root)];
}

const wrong = (path: KeyPath, expected: string, root: unknown): Mistake => ({
  path,
  at: 'value',
  what: `expected ${expected}, found ${describe(valueAt(root, path))}`,
});

function unknownKey(path: KeyPath, key: string, known: string): Mistake {
  const meant = closest(key, known.split(', '));
  const what = meant === undefined ? `unknown key; expected one of ${known}` : `unknown key; did you mean ${meant}?`;
  return { path: [...path, key], at: 'key', what };
}

// Of a union's members the one is meant whose outer form fits: then its own mistakes are the message.
function unionMistakes(issue: UnionIssue, path: KeyPath, root: unknown): Mistake[] {
  const inner = issue.errors.map((errors) => errors.map((error) => ({ ...error, path: [...issue.path, ...error.path] })));
  const fitting = inner.filter(
    (errors) => !errors.some((error) => error.path.length === path.length && error.code !== 'unrecognized_keys'),
  );
  const meant = fitting.toSorted((a, b) => closeness(a, root) - closeness(b, root))[0];
  if (meant !== undefined) return mistakesOf(meant, root);
  const sameKind = inner.find((errors) => errors.every((error) => error.code !== 'invalid_type' && error.code !== 'invalid_value'));
  if (sameKind !== undefined) return mistakesOf(sameKind, root);
  const expected = [...new Set(inner.map((errors) => errors.map(expectation)[0] ?? 'something else'))];
  return [wrong(path, expected.join(' or '), root)];
}

// A member that is there and wrong is nearer to what was meant than one that is missing or unknown.
const closeness = (errors: readonly Issue[], root: unknown): number =>
  errors.reduce(
    (sum, error) => sum + (error.code === 'unrecognized_keys' || valueAt(root, error.path as KeyPath) === undefined ? 2 : 1),
    0,
  );

const kinds: Record<string, string> = {
  object: 'an object',
  record: 'an object',
  array: 'a list',
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
};

// Messages that are not zod's own are expectations already.
function expectation(issue: Issue): string {
  if (!issue.message.startsWith('Invalid ')) return issue.message;
  if (issue.code === 'invalid_type') return kinds[issue.expected] ?? issue.expected;
  if (issue.code === 'invalid_union') return [...new Set(issue.errors.flatMap((errors) => errors.map(expectation)))].join(' or ');
  return 'something else';
}

/** A value in a message: text in quotes and cut short, everything else by its kind. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return value.length > 60 ? `'${value.slice(0, 57)}…'` : `'${value}'`;
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return `${value}`;
  return 'an object';
}
