import type { FailingCheck, ObservedInstance, Owner, PathPhase } from '../engine/engine.ts';
import type { ReleaseId } from '../digest.ts';
import { short } from '../digest.ts';
import type { Problem } from '../problem.ts';
import type { Hands, Unhealthy } from './carry-out.ts';
import type { Desired } from './desired.ts';
import { stepOf } from './ground.ts';
import type { FailedStep } from './step-watch.ts';
import { asideKindOf, copiesOf, type AsideKind, type TrialKind } from './trial.ts';
import { isUnit } from './unit-state.ts';

type Failing = { desired: Desired; release: ReleaseId; from: ReleaseId | undefined; hands: Hands };

const evidenceLines = 20;

/** An app that never became healthy: the request, the answer, and the last lines of who gave it. */
export async function unhealthy({ path, phase, ended }: Unhealthy, failing: Failing, elapsedMs: number): Promise<Problem> {
  const unit = failing.desired.units.find(({ owner }) => isUnit(owner, path.owner));
  const [check] = phase.phase === 'checking' ? phase.failing : [];
  const seat = Object.values(unit?.seats ?? {})
    .flatMap(({ instances }) => instances)
    .filter(({ name, role }) => check && (role === 'server' || name.startsWith(`${path.owner.name}.${check.server}.`)));
  const culprit =
    path.aside === 'rehearsal'
      ? `${path.owner.name}.rehearsal`
      : ended || !check
        ? path.name
        : await running(
            failing,
            seat.map(({ name }) => name),
            path.name,
          );
  return {
    code: 'ROLLOUT_UNHEALTHY',
    ...never(path, failing),
    why: ended ? `its data path ${path.name} ended before it reported healthy` : reason(phase, elapsedMs),
    next: `changeless logs ${path.owner.name} --release ${short(failing.release)}`,
    lines: await lastLines(failing, culprit),
  };
}

/** Which of the names an engine holds; a unit's instance has one name in each colour. */
async function running({ hands }: Failing, names: readonly string[], otherwise: string): Promise<string> {
  const observed = await hands.observe();
  if (!observed.ok) return otherwise;
  const there = observed.value.instances
    .filter(({ name }) => names.includes(name))
    .toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  return there[0]?.name ?? otherwise;
}

function reason(phase: PathPhase, elapsedMs: number): string {
  const seconds = Math.round(elapsedMs / 1000);
  if (phase.phase !== 'checking') return `its data path reported nothing for ${seconds} s`;
  return failingChecks(phase)
    .map((check) => `${check} for ${seconds} s`)
    .join('; ');
}

/** Each failing check in words: `GET /healthz expecting 200 on api-1 answered 502`. */
export const failingChecks = (phase: PathPhase): string[] =>
  phase.phase === 'checking' ? phase.failing.map((check) => `${check.asked} on ${check.server} ${answer(check)}`) : [];

/** HAProxy's check results (configuration manual, 9.2 `check_status`) in words. */
function answer({ check, code, detail }: FailingCheck): string {
  const said = detail ? ` (${detail})` : '';
  if (check === 'L7STS' && code) return `answered ${code}${said}`;
  if (check === 'L7TOUT' || check === 'L4TOUT') return `gave no answer in time${said}`;
  if (check === 'L4CON') return `refused the connection${said}`;
  if (check === 'INI') return 'has not answered yet';
  return `failed with ${check}${said}`;
}

/** An instance that ended again and again before it was healthy. */
export async function crashed(instance: ObservedInstance, failing: Failing): Promise<Problem> {
  return {
    code: 'ROLLOUT_UNHEALTHY',
    ...never({ owner: instance.owner, aside: asideKindOf(instance) ?? (await proofOf(instance, failing)) }, failing),
    why: `${instance.name} ended by itself, again and again${instance.exitCode === undefined ? '' : `, last with exit code ${instance.exitCode}`}`,
    next: `changeless logs ${instance.owner.name} --release ${short(failing.release)}`,
    lines: await lastLines(failing, instance.name),
  };
}

/** A step that ended badly, or was killed because it took too long. */
export async function stepFailed({ step, run, late }: FailedStep, failing: Failing): Promise<Problem> {
  const [service, name] = stepOf(run.name).split('/');
  const { release } = failing;
  const after = step.when === 'after';
  return {
    code: 'STEP_FAILED',
    what: `step ${name} of ${run.owner.name}/${service} failed ${after ? 'after' : 'before'} the switch to release ${short(release)}`,
    why: late ? `it did not end within ${step.limitMs / 1000} s and was killed` : `it ended with exit code ${run.exitCode}`,
    ...(after && { safe: `release ${short(release)} is live; the step is not run again by itself` }),
    next: `changeless logs ${run.owner.name} --release ${short(release)}`,
    lines: await lastLines(failing, run.name),
  };
}

/** A server in its place is tried as long as there is a snapshot to go back to. */
async function proofOf({ role, owner }: ObservedInstance, { hands }: Failing): Promise<TrialKind | undefined> {
  const observed = role === 'server' ? await hands.observe() : undefined;
  return observed?.ok && copiesOf(owner.name, observed.value).some(({ kind }) => kind === 'snapshot') ? 'proof' : undefined;
}

const triedOn = { rehearsal: ' on a copy of its data', proof: ' on its data', preview: '' } as const;

/** What did not come to be, and what that means for a store's data. */
function never({ owner, aside }: { owner: Owner; aside?: AsideKind | undefined }, { release }: Failing): Pick<Problem, 'what' | 'safe'> {
  const what = `${owner.name} never became healthy${aside ? triedOn[aside] : ''} in release ${short(release)}`;
  if (aside === 'rehearsal') return { what, safe: 'its data were not touched' };
  return aside === 'proof' ? { what, safe: 'its data are put back as the old server left them' } : { what };
}

/** Adds what serves now that the rollout has been taken back. */
export function undone(problem: Problem, { from }: Failing): Problem {
  const safe = from
    ? `release ${short(from)} still serves all traffic; what was started for this one has been removed`
    : 'nothing served before and nothing serves now; what was started has been removed, data is kept';
  return { ...problem, safe: problem.safe ? `${safe}; ${problem.safe}` : safe };
}

async function lastLines({ hands, desired }: Failing, name: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const { line } of hands.engine.logs(desired.architecture, name, { follow: false, tail: evidenceLines })) lines.push(line);
  return lines;
}
