/**
 * What stands in an evaluated value for something that JSON cannot hold (a function, a date, a promise):
 * an object with this one member, which says what it was. Written by the evaluator's program, read by the validation.
 */
export const notJsonKey = '\u0000not-json';

/** The value as JSON can hold it. Members that are undefined are left out, as JSON leaves them out. */
export function toJsonValue(value: unknown, above: readonly object[] = []): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : { [notJsonKey]: String(value) };
  if (typeof value !== 'object') return { [notJsonKey]: `a ${typeof value}` };
  if (above.includes(value)) return { [notJsonKey]: 'a reference to an object that holds it' };
  const here = [...above, value];
  if (Array.isArray(value)) return value.map((item) => (item === undefined ? { [notJsonKey]: 'undefined' } : toJsonValue(item, here)));
  if (!isPlain(value)) return { [notJsonKey]: `a ${value.constructor?.name ?? 'special object'}` };
  const members = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(members.map(([key, item]) => [key, toJsonValue(item, here)]));
}

// An imported module's namespace object has no prototype either, and is as good as data.
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
