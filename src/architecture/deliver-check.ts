import { unknownSecret } from './gateway-check.ts';
import type { Mistake } from './issues.ts';
import { isRecord, valueAt } from './key-path.ts';
import { at, children } from './written.ts';

/** What contradicts something else in `deliver`. */
export const deliverMistakes = (root: unknown): Mistake[] => [
  ...unknownSecret(root, ['deliver', 'secret']),
  ...fromNowhere(root),
  ...misplaced(root),
];

/** Unless the gateway is itself what is pushed to. */
function fromNowhere(root: unknown): Mistake[] {
  const deliver = valueAt(root, ['deliver']);
  if (!isRecord(deliver) || deliver['repository'] !== undefined || isRecord(valueAt(root, ['gateway', 'git']))) return [];
  return [at('value', ['deliver'], 'expected the repository that is delivered, found none')];
}

/** Environments say which branch they follow, not that there is a repository. */
const misplaced = (root: unknown): Mistake[] =>
  children(root, ['environments'])
    .map((environment) => [...environment, 'deliver'])
    .filter((path) => isRecord(valueAt(root, path)) && !isRecord(valueAt(root, ['deliver'])))
    .map((path) => at('value', path, 'expected deliver in the architecture too, found none'));
