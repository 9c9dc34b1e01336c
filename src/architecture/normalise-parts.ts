import { mapValues } from '../map-values.ts';
import type { SecretsInput, Settings } from './container-authoring.ts';
import type { UsedSecrets } from './container-model.ts';

export const texts = (values: Settings = {}): Record<string, string> => mapValues(values, String);

/** One, or several. */
export const listed = <Item>(items: Item | readonly Item[]): readonly Item[] =>
  Array.isArray(items) ? (items as readonly Item[]) : [items as Item];

/** None is nothing, so that manifests of before there were secrets say the same. */
export function normaliseUsed(used: SecretsInput = []): { secrets?: UsedSecrets } {
  const files = Object.entries(Array.isArray(used) ? Object.fromEntries(used.map((name: string) => [name, name])) : used);
  return files.length === 0 ? {} : { secrets: Object.fromEntries(files) };
}
