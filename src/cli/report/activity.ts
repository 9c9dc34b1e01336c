import type { ChangelessEvent, UnitName } from '../../events.ts';
import { counted } from './duration.ts';
import { unitWords } from './words.ts';
import { waitingWords } from './waiting.ts';

/** Something that goes on right now: what a live view shows below the story. */
export type Activity = { verb: string; what: string; detail: string; sinceMs: number };

/** What goes on, by a key that names it. */
export type Activities = ReadonlyMap<string, Activity>;

/** The activities after an event. Pure; `nowMs` is when it arrived. */
export function activitiesAfter(before: Activities, event: ChangelessEvent, nowMs: number): Activities {
  const next = new Map(before);
  const set = (key: string, verb: string, words: { what: string; detail?: string }): void => {
    const sinceMs = before.get(key)?.verb === verb ? (before.get(key)?.sinceMs ?? nowMs) : nowMs;
    next.set(key, { verb, what: words.what, detail: words.detail ?? '', sinceMs });
  };
  switch (event.type) {
    case 'component-build-started':
      set(event.component, 'building', { what: event.component });
      break;
    case 'component-build-step':
      if (event.state === 'started' || event.line !== undefined)
        set(event.component, 'building', { what: event.component, detail: event.line ?? event.step });
      break;
    case 'component-tests-started':
      set(event.component, 'testing', { what: event.component, detail: event.tests });
      break;
    case 'component-built':
    case 'component-tests-passed':
      next.delete(event.component);
      break;
    case 'release-built':
    case 'rollout-ended':
    case 'rollout-held':
      next.clear();
      break;
    default:
      rolloutActivity(event, set, next);
  }
  return next;
}

type Set = (key: string, verb: string, words: { what: string; detail?: string }) => void;

function rolloutActivity(event: ChangelessEvent, set: Set, next: Map<string, Activity>): void {
  switch (event.type) {
    case 'controller-started':
      set('rollout', 'starting', { what: 'controller' });
      break;
    case 'rollout-started':
      next.delete('rollout');
      for (const unit of event.replace) set(keyOf(unit), 'preparing', { what: unitWords(unit) });
      break;
    case 'instance-started':
      set(keyOf(event.unit), 'preparing', { what: unitWords(event.unit), detail: `${event.instance} started` });
      break;
    case 'health-waiting':
      set(keyOf(event.unit), 'checking', { what: waitingWords(event).rest });
      break;
    case 'unit-healthy':
      set(keyOf(event.unit), 'ready', { what: unitWords(event.unit), detail: 'waits for the others' });
      break;
    case 'unit-draining':
      set(`draining/${event.generation}`, 'draining', { what: unitWords(event.unit), detail: 'the old one finishes what it has' });
      break;
    case 'drain-waiting':
      set(`draining ${keyOf(event.unit)}`, 'draining', {
        what: unitWords(event.unit),
        detail: `held by ${counted(event.connections, 'connection')}`,
      });
      break;
    case 'unit-retired':
      next.delete(`draining ${keyOf(event.unit)}`);
      next.delete(`draining/${event.generation}`);
      break;
    case 'bake-started':
      set('bake', 'baking', { what: event.units.map(unitWords).join(', '), detail: 'the release is live; ctrl-c leaves it to itself' });
      break;
    case 'unit-switched':
    case 'unit-held-back':
    case 'store-swapped':
      next.delete(keyOf(event.unit));
      break;
    default:
  }
}

const keyOf = ({ kind, name }: UnitName): string => `${kind}/${name}`;
