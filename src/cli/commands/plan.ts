import { short, type GenerationId, type ReleaseId } from '../../digest.ts';
import type { PlannedRelease } from '../../build/plan-release.ts';
import { resolveEnvironment } from '../../release/resolve-environment.ts';
import { done, failed, type Result } from '../../result.ts';
import { answer, answerJson, type CommandResult, flag, placeOf, type Session, textOption } from '../command.ts';
import { chooseSource } from '../dirty.ts';
import { findLive, type Live } from '../live.ts';
import { type Change, planChanges, wantedUnits } from '../plan-changes.ts';
import { countWords, type PlannedCount, planCounts } from '../plan-counts.ts';
import { rememberName } from '../subject.ts';
import { paintFor } from '../report/problem.ts';
import { progressReporter } from '../report/choose-reporter.ts';
import { counted } from '../report/duration.ts';
import { commitWords } from '../report/words.ts';
import type { Source } from '../delivery.ts';

/** `plan [commit]`: changes nothing. */
export async function run(session: Session): CommandResult {
  const delivery = await session.world.delivery();
  const chosen =
    flag(session.input, 'worktree') || session.input.arguments[0] !== undefined
      ? await chooseSource(session, delivery)
      : done({ revision: 'HEAD', worktree: false });
  if (!chosen.ok) return chosen;
  const reporter = progressReporter(session.world);
  const source = await delivery.evaluate({ place: placeOf(session), ...chosen.value, report: reporter.report });
  reporter.end();
  if (!source.ok) return source;
  try {
    await rememberName(session, source.value.architecture.name);
    return await comparePlan(session, source.value);
  } finally {
    await source.value.close();
  }
}

async function comparePlan(session: Session, { engine, architecture, plan }: Source): CommandResult {
  const [planned, live] = await Promise.all([plan(), findLive(session.world, engine, architecture.name)]);
  if (!planned.ok) return planned;
  if (!live.ok) return live;
  const environment = textOption(session.input, 'environment') ?? live.value.live?.controller.environment ?? 'local';
  const change = await changeOf({ planned: planned.value, live: live.value, environment });
  if (!change.ok) return change;
  const counts = countsOf({ planned: planned.value, live: live.value, environment });
  const outcome: Outcome = { planned: planned.value, live: live.value, environment, change: change.value, counts };
  if (session.input.json) answerJson(session, planJson(outcome));
  else answer(session, planText(session, outcome));
  return done(0);
}

type Comparing = { planned: PlannedRelease; live: Live; environment: string };

type Outcome = Comparing & { change: Change; counts: readonly PlannedCount[] };

function countsOf({ planned, live, environment }: Comparing): PlannedCount[] {
  const resolved = resolveEnvironment(planned.inputs.architecture, environment);
  const generations = planned.environments[environment]?.apps ?? {};
  return resolved.ok ? planCounts({ apps: resolved.value.apps, generations, observation: live.observation }) : [];
}

async function changeOf({ planned, live, environment }: Comparing): Promise<Result<Change>> {
  const generations = planned.environments[environment];
  if (generations === undefined)
    return failed({
      code: 'UNKNOWN_ENVIRONMENT',
      what: `the architecture declares no environment ${environment}`,
      why: `it has ${Object.keys(planned.environments).join(', ')}`,
      safe: 'nothing was changed',
      next: 'name one of them with --environment',
    });
  const { live: claimant, units } = live;
  const before = claimant?.manifest?.inputs;
  return planChanges({ wanted: wantedUnits(generations), units, before, after: planned.inputs, environment });
}

const planJson = ({ planned: { release, evaluated, components }, environment, change, live, counts }: Outcome) => ({
  release,
  commit: evaluated.commit.id,
  environment,
  live: live.live?.controller.release ?? null,
  build: components.map(({ name, key, reused }) => ({ component: name, key, reused })),
  replace: change.replace.map(({ kind, name, from, to, why }) => ({ kind, name, from: from ?? null, to, why })),
  keep: change.keep,
  remove: change.remove,
  jobs: change.jobs,
  scaled: counts,
});

function planText(session: Session, { planned, live, environment, change, counts }: Outcome): string {
  const paint = paintFor(session.world.stdout.isTerminal, session.world.env);
  const { release, evaluated, components } = planned;
  const missing = components.filter(({ reused }) => !reused);
  const lines = [
    `release ${short(release)} from ${commitWords(evaluated.commit.id)}, ${environment}${versus(live.live?.controller.release, release)}`,
  ];
  lines.push(
    `  build    ${missing.length === 0 ? 'nothing' : missing.map(({ name }) => name).join(', ')}${components.length > missing.length ? ` (${components.length - missing.length} reused)` : ''}`,
  );
  for (const { kind, name, from, to, why } of change.replace) {
    lines.push(
      `  ${paint('yellow', from === undefined ? 'start  ' : 'replace')}  ${unit(kind, name)}  ${arrow(from, to)}`,
      ...why.map((sentence) => `             ${sentence}`),
    );
  }
  if (change.keep.length > 0) lines.push(`  keep     ${change.keep.map(({ kind, name }) => unit(kind, name)).join(', ')}`);
  for (const { kind, name } of change.remove)
    lines.push(`  ${paint('red', 'remove')}   ${unit(kind, name)}${kind === 'store' ? ' (its data is kept)' : ''}`);
  for (const { name, change: how, why } of change.jobs)
    lines.push(`  job      ${name} ${how}`, ...why.map((sentence) => `             ${sentence}`));
  lines.push(...counts.map((count) => `  scale    ${countWords(count)}`));
  lines.push(
    '',
    change.replace.length + change.remove.length === 0
      ? 'Nothing that runs would change.'
      : `changeless up    replaces ${counted(change.replace.length, 'unit')}`,
  );
  return lines.join('\n');
}

const unit = (kind: string, name: string): string => (kind === 'core' ? 'core' : `${kind} ${name}`);

const arrow = (from: GenerationId | undefined, to: GenerationId): string =>
  from === undefined ? short(to) : `${short(from)} -> ${short(to)}`;

function versus(live: ReleaseId | undefined, planned: ReleaseId): string {
  if (live === undefined) return '; nothing runs yet';
  return live === planned ? '; it is live' : `; live is ${short(live)}`;
}
