import type { Told } from '../../api/schemas.ts';
import type { JobRun, PlannedStep, StepRecord } from '../../job-run.ts';
import type { CommandRecord } from '../../ledger/commands.ts';
import type { RolloutRecord } from '../../ledger/ledger.ts';
import type { TokenRecord } from '../../ledger/tokens.ts';
import type { Problem } from '../../problem.ts';
import { isRecord } from '../../architecture/key-path.ts';

type ToldProblem = Told['rollout']['problem'];

const toldProblem = (problem: Problem | undefined): ToldProblem => {
  if (!problem) return null;
  const { code, what, why, safe, next } = problem;
  return { code, what, ...(why !== undefined && { why }), ...(safe !== undefined && { safe }), ...(next !== undefined && { next }) };
};

export const toldRollout = (record: RolloutRecord): Told['rollout'] => ({
  number: record.token,
  release: record.release,
  commit: record.commit,
  environment: record.environment,
  outcome: record.outcome ?? null,
  startedAt: record.startedAt,
  endedAt: record.endedAt ?? null,
  asked: record.asked ?? null,
  replaced: record.replaced ?? null,
  held: (record.held ?? []).map(({ kind, name }) => ({ kind, name })),
  problem: toldProblem(record.problem),
});

/** Without the secrets of its plan, sealed though they are. */
export const toldRun = (run: JobRun): Told['run'] => ({
  run: run.id,
  job: run.job,
  release: run.release,
  commit: run.commit,
  environment: run.environment,
  reason: run.reason,
  parameters: { ...run.parameters },
  outcome: run.outcome ?? null,
  acceptedAt: run.acceptedAt,
  startedAt: run.startedAt ?? null,
  cancelAskedAt: run.cancelAskedAt ?? null,
  endedAt: run.endedAt ?? null,
  closedAt: run.closedAt ?? null,
  problem: toldProblem(run.problem),
  steps: run.plan.steps.map((planned) =>
    toldStep(
      planned,
      run.steps.find(({ step }) => step === planned.key),
    ),
  ),
});

const toldStep = ({ key, agent }: PlannedStep, record: StepRecord | undefined): Told['run']['steps'][number] => ({
  step: key,
  agent,
  outcome: record?.outcome ?? null,
  container: record?.container ?? null,
  startedAt: record?.startedAt ?? null,
  endedAt: record?.endedAt ?? null,
  exitCode: record?.exitCode ?? null,
  problem: toldProblem(record?.problem),
});

export const toldToken = ({ name, scope, addedAt, expiresAt, revokedAt, usedOn }: TokenRecord): Told['token'] => ({
  name,
  scope,
  addedAt,
  expiresAt,
  revokedAt: revokedAt ?? null,
  usedOn: usedOn ?? null,
});

/** Undefined for one in words that this program does not know. */
export function toldCommand({ id, receivedAt, body, endedAt, problem }: CommandRecord): Told['command'] | undefined {
  const said: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
  if (!isRecord(said)) return undefined;
  const text = (name: string): string | null => (typeof said[name] === 'string' ? said[name] : null);
  return {
    command: id,
    does: text('does') as Told['command']['does'],
    by: text('by') ?? '',
    receivedAt,
    state: endedAt === undefined ? 'waiting' : problem ? 'refused' : 'done',
    run: text('run'),
    release: text('release'),
    endedAt: endedAt ?? null,
    problem: toldProblem(problem),
  };
}
