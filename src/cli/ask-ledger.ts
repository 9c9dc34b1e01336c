import { programFolder } from '../build/system-images.ts';
import type { ImageId, ReleaseId, RunId } from '../digest.ts';
import type { Engine } from '../engine/engine.ts';
import type { JobStepName } from '../engine/job-steps.ts';
import { labels } from '../engine/labels.ts';
import type { RecordedEvent } from '../events.ts';
import type { JobRun } from '../job-run.ts';
import type { KeptLine } from '../jobs/kept-log.ts';
import { ledgerFolder, ledgerVolume } from '../kept-volumes.ts';
import type { TakenDelivery } from '../ledger/delivery.ts';
import type { RolloutRecord } from '../ledger/ledger.ts';
import type { TokenRecord } from '../ledger/tokens.ts';
import { isAnswered, type LedgerQuestionName } from '../ledger-questions.ts';
import { done, failed, type Result } from '../result.ts';

/** `image`: a release image; its Changeless reads the ledger that a Changeless like it wrote. */
export type LedgerQuestion = { engine: Engine; architecture: string; image: ImageId };

/** Rollouts, newest first. Asked of a container that ends with the answer, since only the engine can reach the volume. */
export const askRollouts = (question: LedgerQuestion, limit: number): Promise<Result<RolloutRecord[]>> =>
  ask<RolloutRecord[]>(question, ['log', '--limit', String(limit)]);

/** Events, newest first; of one release when given. */
export const askEvents = (question: LedgerQuestion, filter: { limit: number; release?: ReleaseId }): Promise<Result<RecordedEvent[]>> =>
  ask<RecordedEvent[]>(question, [
    'events',
    '--limit',
    String(filter.limit),
    ...(filter.release === undefined ? [] : ['--release', filter.release]),
  ]);

/** Runs of jobs, newest first; with `run` that one alone, or none. */
export const askRuns = (question: LedgerQuestion, filter: { limit: number; run?: RunId }): Promise<Result<JobRun[]>> =>
  ask<JobRun[]>(question, ['runs', ...(filter.run === undefined ? [] : [filter.run]), '--limit', String(filter.limit)]);

/** What is kept of a step's output. */
export const askKept = (question: LedgerQuestion, { run, step }: JobStepName): Promise<Result<KeptLine[]>> =>
  ask<KeptLine[]>(question, ['kept', run, step]);

/** Deliveries, newest first. */
export const askDeliveries = (question: LedgerQuestion, limit: number): Promise<Result<TakenDelivery[]>> =>
  ask<TakenDelivery[]>(question, ['deliveries', '--limit', String(limit)]);

/** A token without its digest, which is nobody's business. */
export type ToldToken = Omit<TokenRecord, 'digest'>;

/** All tokens there ever were, newest first. */
export const askTokens = (question: LedgerQuestion): Promise<Result<ToldToken[]>> => ask<ToldToken[]>(question, ['tokens']);

type Words = readonly [LedgerQuestionName, ...string[]];

async function ask<Answer>({ engine, architecture, image }: LedgerQuestion, words: Words): Promise<Result<Answer>> {
  const detail = await engine.images.inspect(image);
  if (!isAnswered(words[0], detail?.labels[labels.answers])) return failed(cannotTell(words[0]));
  const result = await engine.images.runOnce({
    image,
    command: ['node', `${programFolder}/controller.js`, ...words],
    labels: { [labels.architecture]: architecture, [labels.role]: 'question' },
    network: 'none',
    // Writable, because a reader of a database in WAL mode takes part in its shared memory file.
    volumes: [{ volume: `${architecture}.${ledgerVolume}`, path: ledgerFolder, writable: true }],
    readOnly: true,
    limitMs: 30_000,
  });
  if (result.exitCode === 0) return done(JSON.parse(result.stdout) as Answer);
  return failed({
    code: 'ENGINE_REFUSED',
    what: 'the ledger could not be read',
    why: result.timedOut ? 'no answer came within 30 s' : `the question ended with ${result.exitCode}`,
    safe: 'nothing was changed; what is live does not depend on the ledger',
    next: 'changeless status    shows what is live',
    lines: result.stderr.trimEnd().split('\n').slice(-10),
  });
}

const cannotTell = (question: LedgerQuestionName) => ({
  code: 'RELEASE_CANNOT_TELL' as const,
  what: `the release that is live cannot tell what is asked of its ledger (${question})`,
  why: 'it was made with an earlier Changeless, whose program would take the question for a start',
  safe: 'nothing of it was run; nothing was changed',
  next: 'changeless up    with this Changeless makes a release that can',
});
