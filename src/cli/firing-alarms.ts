import type { Engine } from '../engine/engine.ts';
import type { Desired } from '../rollout/desired.ts';
import { parseEvent } from './controller-log.ts';

export type FiringAlarm = { alarm: string; what: string; since: string };

/** As far back as a controller's log is read for an alarm that fired and has not come to rest. */
const lines = 2000;

/** The alarms that fire, as the controller in charge last said; those that fired before its log begins are not known. */
export async function firingAlarms(engine: Engine, desired: Desired | undefined, controller: string | undefined): Promise<FiringAlarm[]> {
  if (!desired || controller === undefined || desired.units.every(({ alarms }) => alarms.length === 0)) return [];
  const firing = new Map<string, FiringAlarm>();
  for await (const { line } of engine.logs(desired.architecture, controller, { follow: false, tail: lines })) {
    const event = parseEvent(line);
    if (event?.type === 'alarm-fired') firing.set(event.alarm, { alarm: event.alarm, what: event.what, since: event.at });
    if (event?.type === 'alarm-cleared') firing.delete(event.alarm);
  }
  return [...firing.values()];
}
