import { programFolder } from '../build/system-images.ts';
import type { ImageId, ReleaseId } from '../digest.ts';
import type { Engine } from '../engine/engine.ts';
import { labels } from '../engine/labels.ts';
import type { RecordedEvent } from '../events.ts';
import { ledgerFolder, ledgerVolume } from '../kept-volumes.ts';
import type { TakenDelivery } from '../ledger/delivery.ts';
import type { RolloutRecord } from '../ledger/ledger.ts';
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

/** Deliveries, newest first. */
export const askDeliveries = (question: LedgerQuestion, limit: number): Promise<Result<TakenDelivery[]>> =>
  ask<TakenDelivery[]>(question, ['deliveries', '--limit', String(limit)]);

async function ask<Answer>({ engine, architecture, image }: LedgerQuestion, words: readonly string[]): Promise<Result<Answer>> {
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
