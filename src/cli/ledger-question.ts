import { parseArgs } from 'node:util';
import type { ReleaseId, RunId } from '../digest.ts';
import { isRunId } from '../job-run.ts';
import { done, failed, type Result } from '../result.ts';

/**
 * What the ledger is asked: the newest `limit` rollouts, deliveries, events (of one release when given), or runs of jobs (that one alone when it
 * is named); all tokens for the API; or what is kept of a step's output.
 */
export type LedgerQuestion =
  | { about: 'log' | 'events'; limit: number; release?: ReleaseId }
  | { about: 'deliveries'; limit: number }
  | { about: 'tokens' }
  | { about: 'runs'; limit: number; run?: RunId }
  | { about: 'kept'; run: RunId; step: string };

/**
 * The question these words ask, with their options `--limit` and `--release`; undefined where they ask nothing. USAGE where they ask
 * what no ledger tells: then nothing else may begin instead, least of all a controller.
 */
export function questionIn(words: readonly string[]): Result<LedgerQuestion | undefined> {
  const { positionals, values } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: { limit: { type: 'string', default: '100' }, release: { type: 'string' } },
  });
  const { limit, ...release } = values;
  return questionOf(positionals, { limit: Number(limit), ...release });
}

/** The same of words that were told apart already. */
export function questionOf(
  words: readonly string[],
  { limit, release: ofRelease }: { limit: number; release?: string | undefined },
): Result<LedgerQuestion | undefined> {
  if (words.length === 0) return done(undefined);
  const [about = '', run, step] = words;
  const isRun = run !== undefined && isRunId(run);
  if (about === 'kept' && isRun && step !== undefined) return done({ about, run, step });
  if (about === 'runs' && (isRun || run === undefined)) return done({ about, limit, ...(isRun && { run }) });
  if (about === 'deliveries') return done({ about, limit });
  if (about === 'tokens') return done({ about });
  const release = ofRelease as ReleaseId | undefined;
  if (about === 'log' || about === 'events') return done({ about, limit, ...(release !== undefined && { release }) });
  return failed({
    code: 'USAGE',
    what: `the controller has nothing to tell of ${JSON.stringify(words.join(' '))}`,
    safe: 'no controller was started',
    next: 'controller log, controller events, controller deliveries, controller runs, controller tokens, or controller kept <run> <step>',
  });
}
