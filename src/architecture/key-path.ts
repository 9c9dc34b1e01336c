/** Where a value lies in the evaluated architecture: names and list positions from the root. */
export type KeyPath = readonly (string | number)[];

/** As people write it: `apps.catalog.hosts[0]`, `files["/etc/app.conf"]`. */
export function keyText(path: KeyPath): string {
  return path.map((part, index) => partText(part, index === 0)).join('');
}

function partText(part: string | number, first: boolean): string {
  if (typeof part === 'number') return `[${part}]`;
  if (!/^[\w-]+$/.test(part)) return `[${JSON.stringify(part)}]`;
  return first ? part : `.${part}`;
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The member of an object or list; undefined when there is none of its own. */
export function member(value: unknown, part: string | number): unknown {
  if (Array.isArray(value)) return value[Number(part)];
  return isRecord(value) && Object.hasOwn(value, part) ? value[part] : undefined;
}

export const valueAt = (value: unknown, path: KeyPath): unknown => path.reduce<unknown>(member, value);
