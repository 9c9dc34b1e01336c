import type { ChangelessEvent } from '../../events.ts';
import { unitWords, type Words } from './words.ts';

/** What keeps a unit from being healthy, as far as its own checks say. */
export function waitingWords(event: ChangelessEvent & { type: 'health-waiting' }): Words {
  const [first, ...more] = event.failing;
  const others = more.length === 0 ? '' : ` (and ${more.length} more)`;
  return { verb: 'checking', rest: `${unitWords(event.unit)}${first === undefined ? '' : `: ${first}${others}`}`, tone: 'plain' };
}
