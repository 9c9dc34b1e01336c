import { acceptedEvent, eventOf, foundEvent } from '../ledger/deliveries.ts';
import type { Inbox, NewDelivery, RunsOfDelivery } from '../ledger/delivery.ts';
import { pause } from './pause.ts';
import type { Post } from './post.ts';

export type Taking = Pick<Post, 'inbox' | 'ledger' | 'journal' | 'print' | 'timers' | 'signal'> & { runsOf: RunsOfDelivery };

/** How often the inbox is looked at when nothing was in it. */
const beatMs = 200;

const afterFailureMs = 5000;

/**
 * Moves what is in the inbox to the ledger, also while a release is rolled out, until stopped. Whoever is killed in between has taken a
 * batch, or has not. Once the token is not in charge the ledger takes nothing more from it.
 */
export function takeInbox(post: Taking, token: number): { stop(): Promise<void> } {
  const { inbox } = post;
  if (!inbox) return { stop: async () => {} };
  const stopped = new AbortController();
  const ended = takeOn(post, { inbox, token, signal: AbortSignal.any([stopped.signal, post.signal]) });
  return {
    stop() {
      stopped.abort();
      return ended;
    },
  };
}

async function takeOn(post: Taking, { inbox, token, signal }: { inbox: Inbox; token: number; signal: AbortSignal }): Promise<void> {
  const { ledger, timers } = post;
  let taken = new Map(await ledger.inboxTaken());
  while (!signal.aborted) {
    const took = await takeNext(post, { inbox, token, taken });
    // Somebody else took it, or is in charge.
    if (took === 'not-ours') taken = new Map(await ledger.inboxTaken());
    if (took !== 'taken') await pause(took === 'failed' ? afterFailureMs : beatMs, { signal, timers });
  }
}

type Turn = { inbox: Inbox; token: number; taken: Map<string, number> };

async function takeNext(
  { ledger, journal, print, runsOf }: Taking,
  { inbox, token, taken }: Turn,
): Promise<'taken' | 'nothing' | 'not-ours' | 'failed'> {
  try {
    const batch = await inbox.next(taken);
    if (!batch) return 'nothing';
    const fresh = await ledger.takeDeliveries(token, batch, runsOf);
    if (!fresh) return 'not-ours';
    taken.set(batch.file, batch.to);
    printTaken(print, fresh);
    return 'taken';
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    journal.report({ type: 'effect-failed', step: 'take the inbox', problem: unreadable(error) });
    return 'failed';
  }
}

/** They are in the ledger already. */
export function printTaken(print: Post['print'], fresh: readonly NewDelivery[]): void {
  for (const { number, takenAt, runs, ...delivery } of fresh) {
    print({ type: 'delivery-taken', ...eventOf(delivery), number, at: takenAt });
    const found = foundEvent(delivery);
    if (found) print({ ...found, at: takenAt });
    for (const run of runs) print(acceptedEvent(run, takenAt));
  }
}

const unreadable = (error: Error) => ({
  code: 'INBOX_UNREADABLE' as const,
  what: 'the inbox of the gateway cannot be read',
  why: error.message,
  safe: 'what was answered with 2xx stays in it, and is taken when it can be read',
});
