import type { Mistake } from './issues.ts';
import { afterCycles } from './job-cycles.ts';
import { workFolder } from './job-model.ts';
import { isRecord, type KeyPath, keyText, valueAt } from './key-path.ts';
import { axesIn, cellCount, type Cell, cellsOf, filledIn, type Matrix } from './matrix.ts';
import { at, children, last, namesIn, texts, unknownName } from './written.ts';

/** What a job says that contradicts something else. Takes the value as written, however broken. */
export const jobMistakes = (root: unknown): Mistake[] => [
  ...children(root, ['jobs']).flatMap(reservedJob),
  ...children(root, ['jobs']).flatMap((job) => [
    ...unknownAfters(root, job),
    ...namedAsParameters(root, job, [...job, 'matrix']),
    ...repeatedNames(root, job),
    ...jobSteps(root, job).flatMap((step) => stepMistakes(root, job, step)),
  ]),
  ...afterCycles(root),
];

/** Where every step of every job is written. */
export const everyJobStep = (root: unknown): KeyPath[] => children(root, ['jobs']).flatMap((job) => jobSteps(root, job));

/** A group is a list within the list. */
function jobSteps(root: unknown, job: KeyPath): KeyPath[] {
  const path = [...job, 'steps'];
  const itemsAt = (list: KeyPath): KeyPath[] => {
    const value = valueAt(root, list);
    return Array.isArray(value) ? value.map((_, index) => [...list, index]) : [];
  };
  return itemsAt(path).flatMap((item) => (Array.isArray(valueAt(root, item)) ? itemsAt(item) : [item]));
}

const stepMistakes = (root: unknown, job: KeyPath, step: KeyPath): Mistake[] => [
  ...unknownAxes(root, job, step),
  ...unknownAgents(root, job, step),
  ...namedAsParameters(root, job, [...step, 'settings']),
  ...overlappingCaches(root, step),
];

/** What a push to the branch that is delivered starts. */
const reservedJob = (path: KeyPath): Mistake[] =>
  last(path) === 'deliver' ? [at('key', path, 'the name deliver is reserved for what runs a pushed release; expected another')] : [];

function unknownAfters(root: unknown, job: KeyPath): Mistake[] {
  const jobs = [...namesIn(root, ['jobs']), 'deliver'];
  return oneOrMore(root, [...job, 'on', 'after']).flatMap(({ text, path }) =>
    jobs.includes(text) ? [] : [at('value', path, unknownName('a job', text, jobs))],
  );
}

/** An axis or a setting with the name of a parameter: the one would be taken for the other. */
function namedAsParameters(root: unknown, job: KeyPath, members: KeyPath): Mistake[] {
  const parameters = namesIn(root, [...job, 'parameters']);
  return children(root, members).flatMap((path) => {
    const other = [...job, 'parameters', last(path)];
    if (!parameters.includes(last(path))) return [];
    return [{ ...at('key', path, `expected a name that no parameter has, found ${last(path)}, which is at ${keyText(other)}`), other }];
  });
}

// A step's container and its log are found by its name.
function repeatedNames(root: unknown, job: KeyPath): Mistake[] {
  const named = jobSteps(root, job).map((step) => ({ path: [...step, 'name'], name: valueAt(root, [...step, 'name']) }));
  return named.flatMap(({ path, name }, index): Mistake[] => {
    const first = named.findIndex((other) => other.name === name);
    const other = named[first]?.path;
    if (typeof name !== 'string' || first === index || other === undefined) return [];
    const what = `expected a name that no other step of the job has, found ${name}, which is at ${keyText(other)}`;
    return [{ ...at('value', path, what), other }];
  });
}

function unknownAxes(root: unknown, job: KeyPath, step: KeyPath): Mistake[] {
  const axes = namesIn(root, [...job, 'matrix']);
  const shell = [...oneOrMore(root, [...step, 'command']), ...oneOrMore(root, [...step, 'run'])];
  const settings = children(root, [...step, 'settings']).flatMap((path) => oneOrMore(root, path));
  const unknown = ({ text, path }: Written, hint: (axis: string) => string): Mistake[] =>
    [...new Set(axesIn(text))]
      .filter((axis) => !axes.includes(axis))
      .map((axis) => at('value', path, `${unknownName('an axis of the matrix', axis, axes)}${hint(axis)}`));
  return [
    ...oneOrMore(root, [...step, 'agent']).flatMap((text) => unknown(text, () => '')),
    ...[...shell, ...settings].flatMap((text) => unknown(text, (axis) => `; what stays as it is, is written $\${${axis}}`)),
  ];
}

function unknownAgents(root: unknown, job: KeyPath, step: KeyPath): Mistake[] {
  const path = [...step, 'agent'];
  const agent = valueAt(root, path);
  const agents = namesIn(root, ['agents']);
  if (typeof agent !== 'string' || agent === '') return [];
  const names = new Set(cellsFor(axesIn(agent), matrixAt(root, [...job, 'matrix'])).map((cell) => filledIn(agent, cell)));
  return [...names].filter((name) => !agents.includes(name)).map((name) => at('value', path, unknownName('an agent', name, agents)));
}

/** Of the axes that are used alone; none when one of them is none, or is not made of values. */
function cellsFor(axes: readonly string[], matrix: Matrix): Cell[] {
  const used = Object.fromEntries(axes.map((axis) => [axis, matrix[axis] ?? []]));
  return cellCount(used) > 1000 ? [] : cellsOf(used);
}

const matrixAt = (root: unknown, path: KeyPath): Matrix =>
  Object.fromEntries(
    children(root, path).flatMap((axis): [string, string[]][] => {
      const values = valueAt(root, axis);
      return Array.isArray(values) ? [[last(axis), values.filter(isScalar).map(String)]] : [];
    }),
  );

function overlappingCaches(root: unknown, step: KeyPath): Mistake[] {
  const caches = children(root, [...step, 'caches']).flatMap((path) => oneOrMore(root, path));
  const secrets = valueAt(root, [...step, 'secrets']) === undefined ? [] : ['/run/secrets'];
  return caches.flatMap(({ text, path }, index): Mistake[] => {
    const hidden = contains(text, workFolder) ? workFolder : secrets.find((own) => contains(text, own) || contains(own, text));
    if (hidden !== undefined) return [at('value', path, `expected a path that does not hide ${hidden}, found ${text}`)];
    const other = caches.slice(0, index).find((before) => contains(before.text, text) || contains(text, before.text));
    if (other === undefined) return [];
    const what = `expected a path apart from those of other caches, found ${text} beside ${other.text}, which is at ${keyText(other.path)}`;
    return [{ ...at('value', path, what), other: other.path }];
  });
}

const contains = (folder: string, path: string): boolean => path === folder || path.startsWith(`${folder}/`);

const isScalar = (value: unknown): value is string | number => typeof value === 'string' || typeof value === 'number';

type Written = { text: string; path: KeyPath };

/** A text, or those of a list. */
function oneOrMore(root: unknown, path: KeyPath): Written[] {
  const value = valueAt(root, path);
  return typeof value === 'string' ? [{ text: value, path }] : isRecord(value) ? [] : texts(root, path);
}
