import type { AlarmChange } from '../alarms/alarms.ts';
import { Alarms } from '../alarms/alarms.ts';
import { short } from '../digest.ts';
import type { Observation } from '../engine/engine.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Problem } from '../problem.ts';
import type { Manifest } from '../release/manifest.ts';
import type { Hands } from '../rollout/carry-out.ts';
import type { Desired, UnitAlarm } from '../rollout/desired.ts';

/** How often a release with alarms is looked at. */
export const alarmBeatMs = 1000;

export const hasAlarms = ({ units }: Desired): boolean => units.some(({ alarms }) => alarms.length > 0);

/** The alarms of a release that comes into charge: what fired before goes on to fire until it comes to rest. */
export async function openAlarms(ledger: Ledger): Promise<Alarms> {
  const [fired, cleared] = await Promise.all(
    (['alarm-fired', 'alarm-cleared'] as const).map((type) => ledger.events({ type, limit: 100 })),
  );
  const last = new Map<string, { at: string; fires: boolean }>();
  for (const event of [...(fired ?? []), ...(cleared ?? [])]) {
    if (event.type !== 'alarm-fired' && event.type !== 'alarm-cleared') continue;
    const known = last.get(event.alarm);
    if (!known || known.at < event.at) last.set(event.alarm, { at: event.at, fires: event.type === 'alarm-fired' });
  }
  return new Alarms([...last].filter(([, { fires }]) => fires).map(([id]) => id));
}

export type Watching = { alarms: Alarms; desired: Desired; hands: Hands };

/** Looks at the alarms, if it is time to, and says what has changed. */
export async function watchAlarms({ alarms, desired, hands }: Watching, observed: Observation): Promise<AlarmChange[]> {
  const nowMs = hands.now();
  if (!alarms.isDue(desired, nowMs)) return [];
  const needsUsage = desired.units.some((unit) => unit.alarms.some(({ metric }) => metric === 'cpu' || metric === 'memory'));
  const usage = needsUsage ? await hands.engine.usage(desired.architecture) : undefined;
  const changes = alarms.look(desired, { observed, usage: usage?.ok ? usage.value : [], nowMs });
  for (const change of changes)
    hands.report({
      type: change.state === 'fired' ? 'alarm-fired' : 'alarm-cleared',
      unit: change.unit,
      alarm: change.id,
      what: alarmWords(change),
    });
  return changes;
}

/** `catalog/slow: latency-p99 was above 500 ms for 10 s (812 ms)`. */
export function alarmWords({ id, alarm, state, value }: AlarmChange): string {
  const { metric, forMs } = alarm;
  const was = state === 'fired' ? 'was' : 'was no longer';
  const seen = value === undefined ? '' : ` (${amount(alarm, value)})`;
  return `${id}: ${metric} ${was} ${limitWords(alarm)} for ${forMs / 1000} s${seen}`;
}

const limitWords = (alarm: UnitAlarm): string =>
  alarm.above === undefined ? `below ${amount(alarm, alarm.below ?? 0)}` : `above ${amount(alarm, alarm.above)}`;

function amount({ metric }: UnitAlarm, value: number): string {
  const rounded = String(Math.round(value * 1000) / 1000);
  if (metric.startsWith('latency')) return `${rounded} ms`;
  if (metric === 'request-rate') return `${rounded}/s`;
  return metric === 'error-ratio' || metric === 'memory' ? `${Math.round(value * 1000) / 10} %` : rounded;
}

/** Why a release, or an app of it, is left while it bakes. */
export const alarmFired = ({ release }: Manifest, change: AlarmChange): Problem => ({
  code: 'ALARM_FIRED',
  what: `an alarm fired while release ${short(release)} baked`,
  why: alarmWords(change),
  safe: 'what was before serves again',
  next: `changeless logs ${change.unit.name} --release ${short(release)}    or commit a correction, of the alarm where that is wrong`,
});
