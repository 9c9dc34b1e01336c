import type { ObservedInstance } from '../engine/engine.ts';
import type { SeatStep } from './desired.ts';
import { named, removeInstance, type Outfit } from './outfit.ts';
import type { Outlook, Situation } from './situation.ts';
import type { Lane, Stage } from './step.ts';
import { inUse } from './unit-state.ts';

/**
 * The record of a step: its container, which stays while its body does, so that nobody runs it again. Undefined where it has
 * not begun; one that was created and never started is none.
 */
export const runOf = ({ instance }: SeatStep, { state, unit }: Outfit): ObservedInstance | undefined =>
  state.steps.find(({ name, body, state: life }) => name === instance.name && body === unit.body && life !== 'created');

/** Whether a body is new and has steps to be run, or to end well, before its instances may start. What is kept true has had them. */
export function awaitsSteps(outfit: Outfit, { hurry }: Pick<Outlook, 'hurry'>): boolean {
  const { unit, seat, state, live } = outfit;
  if (hurry || live || inUse(state, unit.body, seat.path.colour)) return false;
  return stepsOf(outfit, 'before').some((step) => !isDone(runOf(step, outfit)));
}

/** Whether a place is one of a step that is over: it may die, for made anew it would take the record of the step with it. */
export function isSpent(slot: string, outfit: Outfit): boolean {
  const step = outfit.seat.steps.find(({ instance }) => instance.slot === slot);
  if (!step) return false;
  const run = runOf(step, outfit);
  return run?.state === 'exited' && !isTriedAgain(step, run);
}

/** The steps for which a rollout fails. What another release's rollout left undone is tried again instead. */
export const failedBefore = (outfit: Outfit, outlook: Pick<Outlook, 'hurry'>): SeatStep[] =>
  awaitsSteps(outfit, outlook)
    ? stepsOf(outfit, 'before').filter((step) => hasFailed(runOf(step, outfit)) && !isTriedAgain(step, runOf(step, outfit)))
    : [];

/** What went wrong once it was live. */
export const failedAfter = (outfit: Outfit): SeatStep[] => stepsOf(outfit, 'after').filter((step) => hasFailed(runOf(step, outfit)));

/** The next step of each service of each unit that waits for steps. */
export const beforeLanes = (all: Situation): Lane[] => all.outfits.flatMap((outfit) => unitLanes(outfit, all.outlook));

function unitLanes(outfit: Outfit, outlook: Outlook): Lane[] {
  if (!awaitsSteps(outfit, outlook)) return [];
  // Two bodies' steps at once could do harm to one another.
  const strays = outfit.state.steps.filter(
    ({ body, colour, state }) => state === 'running' && body !== outfit.unit.body && colour === outfit.seat.path.colour,
  );
  if (strays.length > 0) return strays.map((stray): Lane => [removeInstance(stray)]);
  return nextSteps(outfit, 'before').map((step) => stepLane(step, runOf(step, outfit), outlook));
}

/**
 * The end of a rollout with the steps that come after the switch: they begin when what was replaced has been told to drain, run
 * while it is retired, and the rollout is not over before they are.
 */
export function withAfterSteps(ending: Stage, { outfits, outlook }: Situation): Stage {
  if (outlook.hurry || ending.name === 'drain') return ending;
  const next = outfits.flatMap((outfit) => nextSteps(outfit, 'after').map((step) => ({ step, run: runOf(step, outfit) })));
  const lanes = next.map(({ step, run }) => stepLane(step, run, outlook)).filter((lane) => lane.length > 0);
  if (lanes.length > 0) return { name: 'after-steps', lanes, live: true };
  const isOver = ending.name === 'tidy' || ending.name === 'settled';
  return isOver && next.some(({ run }) => run?.state === 'running') ? { name: 'wait', lanes: [], live: true } : ending;
}

/** Of each service the first step that is not done; none comes after one that failed, unless that is to be tried again. */
function nextSteps(outfit: Outfit, when: SeatStep['when']): SeatStep[] {
  const undone = stepsOf(outfit, when).filter((step) => !isDone(runOf(step, outfit)));
  return [...Map.groupBy(undone, ({ service }) => service).values()].flatMap(([first]) => first ?? []);
}

function stepLane(step: SeatStep, run: ObservedInstance | undefined, { overdue }: Outlook): Lane {
  const { instance } = step;
  if (!run) return [{ do: 'start-instance', instance }];
  if (run.state === 'running') return overdue?.has(run.name) ? [{ do: 'signal-instance', instance: named(run), signal: 'SIGKILL' }] : [];
  return isTriedAgain(step, run) ? [removeInstance(run), { do: 'start-instance', instance }] : [];
}

const stepsOf = ({ seat }: Outfit, when: SeatStep['when']): SeatStep[] => seat.steps.filter((step) => step.when === when);

const isDone = (run: ObservedInstance | undefined): boolean => run?.state === 'exited' && run.exitCode === 0;

const hasFailed = (run: ObservedInstance | undefined): boolean => run?.state === 'exited' && run.exitCode !== 0;

const isTriedAgain = ({ when, instance }: SeatStep, run: ObservedInstance | undefined): boolean =>
  when === 'before' && hasFailed(run) && run?.origin.release !== instance.origin.release;
