import type { Forge } from '../forge/forge.ts';
import { isDealtWith, missedPushes, movedHeads, type MissedPush, type MovedHead } from '../forge/missed-pushes.ts';
import { nextLookMs } from '../forge/pace.ts';
import { oversight, type Delivery, type RunsOfDelivery } from '../ledger/delivery.ts';
import { pause } from './pause.ts';
import type { Post } from './post.ts';
import { printTaken } from './take-inbox.ts';

export type Overseeing = Pick<Post, 'ledger' | 'journal' | 'print' | 'timers' | 'clock' | 'signal' | 'random'> & { runsOf: RunsOfDelivery };

/** `isWanted`: whether something is done with a push to the branch. */
export type Overseen = { forge: Forge; isWanted: (branch: string) => boolean };

/** The place of what was found, beside the files of the inbox. */
const foundFile = 'oversight';

/** `waits`: a push was seen whose webhook may still come. */
type Look = { state: 'looked'; waits: boolean } | { state: 'failed'; why: string; afterMs?: number } | { state: 'not-ours' };

/**
 * Compares the forge's branches with the record, until stopped: a push whose webhook never came is taken as if it had. What a branch was
 * when it was first looked at counts as dealt with.
 */
export function oversee(post: Overseeing, token: number, overseen: Overseen): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const signal = AbortSignal.any([stopped.signal, post.signal]);
  const ended = new Overseer({ ...post, signal }, token, overseen).lookOn();
  return {
    stop() {
      stopped.abort();
      return ended;
    },
  };
}

class Overseer {
  readonly #post: Overseeing;
  readonly #token: number;
  readonly #overseen: Overseen;
  /** Branch → its head that nothing is known of, and since when. */
  #seen = new Map<string, { head: string; sinceMs: number }>();

  constructor(post: Overseeing, token: number, overseen: Overseen) {
    this.#post = post;
    this.#token = token;
    this.#overseen = overseen;
  }

  async lookOn(): Promise<void> {
    const { signal, journal, random, timers } = this.#post;
    let failures = 0;
    while (!signal.aborted) {
      const look = await this.#look();
      if (look.state === 'not-ours') return;
      failures = look.state === 'failed' ? failures + 1 : 0;
      // Once for each time that it is away, and not for what was over a moment later.
      if (look.state === 'failed' && failures === 3 && !signal.aborted)
        journal.report({ type: 'forge-unreachable', forge: this.#overseen.forge.name, why: look.why });
      const asked = look.state === 'failed' && look.afterMs !== undefined ? { afterMs: look.afterMs } : {};
      const waits = look.state === 'looked' && look.waits;
      await pause(nextLookMs({ failures, waits, random: random(), ...asked }), { signal, timers });
    }
  }

  async #look(): Promise<Look> {
    const { ledger, signal } = this.#post;
    const { forge } = this.#overseen;
    if (!(await ledger.mayAct(this.#token))) return { state: 'not-ours' };
    // Before the forge is asked: what is taken meanwhile is not taken for something that was missed.
    const noted = await ledger.heads.noted(forge.repository);
    const heads = await forge.heads(signal);
    if (heads.state !== 'done') return { ...heads, state: 'failed' };
    const moved = await this.#withNewest(movedHeads(heads.value, noted));
    const open = moved.filter((each) => !isDealtWith(each, this.#overseen.isWanted));
    const missed = await this.#missed(open);
    if (missed.length > 0 && !(await this.#take(missed))) return { state: 'looked', waits: true };
    const isOpen = (branch: string): boolean => open.some((each) => each.branch === branch);
    if (!(await this.#note(heads.value, { noted, isOpen }))) return { state: 'not-ours' };
    return { state: 'looked', waits: open.length > 0 };
  }

  #withNewest(moved: readonly Omit<MovedHead, 'newest'>[]): Promise<MovedHead[]> {
    const { ledger } = this.#post;
    return Promise.all(
      moved.map(async (each) => {
        const newest = await ledger.heads.newestPush(this.#overseen.forge.repository, each.branch);
        return { ...each, ...(newest && { newest }) };
      }),
    );
  }

  async #missed(open: readonly MovedHead[]): Promise<MissedPush[]> {
    const nowMs = this.#post.clock().getTime();
    const sinceMs = ({ branch, head }: MovedHead): number => {
      const seen = this.#seen.get(branch);
      return seen?.head === head ? seen.sinceMs : nowMs;
    };
    this.#seen = new Map(open.map((each) => [each.branch, { head: each.head, sinceMs: sinceMs(each) }]));
    if (open.length === 0) return [];
    // Without it pushes are missed a little later, and only the last of each branch.
    const told = await this.#overseen.forge.failedPushes(this.#post.signal);
    const failed = told.state === 'done' ? told.value : [];
    return open.flatMap((each) => missedPushes(each, { failed, seenMs: nowMs - sinceMs(each) }));
  }

  /** Whether they were taken; not when somebody else took some at the same time. */
  async #take(missed: readonly MissedPush[]): Promise<boolean> {
    const { ledger, print } = this.#post;
    const from = (await ledger.inboxTaken()).get(foundFile) ?? 0;
    const deliveries = missed.map((push, index) => this.#deliveryOf(push, from + index));
    const fresh = await ledger.takeDeliveries(
      this.#token,
      { file: foundFile, from, to: from + missed.length, deliveries },
      this.#post.runsOf,
    );
    printTaken(print, fresh ?? []);
    return fresh !== undefined;
  }

  /** As a webhook would have told it, in the words of one that is no forge's. */
  #deliveryOf({ branch, before, after, follows, body }: MissedPush, count: number): Delivery {
    const { repository } = this.#overseen.forge;
    const none = '0'.repeat(after.length);
    const own = { type: 'push', repository, ref: `refs/heads/${branch}`, before: before ?? none, after };
    return {
      source: oversight,
      id: `${count}-${after}`,
      kind: 'push',
      repository,
      branch,
      ...(before !== undefined && { before }),
      after,
      follows,
      receivedAt: this.#post.clock().toISOString(),
      body: Buffer.from(body ?? JSON.stringify(own)),
    };
  }

  /** All but what is still open: what was taken is seen to be at the next look. False when another is in charge. */
  #note(
    heads: ReadonlyMap<string, string>,
    { noted, isOpen }: { noted: ReadonlyMap<string, string> | undefined; isOpen: (branch: string) => boolean },
  ): Promise<boolean> {
    const moved = [...heads].filter(([branch, head]) => noted?.get(branch) !== head && !isOpen(branch));
    const gone = [...(noted?.keys() ?? [])].filter((branch) => !heads.has(branch));
    const changes = new Map<string, string | undefined>([...moved, ...gone.map((branch): [string, undefined] => [branch, undefined])]);
    if (noted !== undefined && changes.size === 0) return Promise.resolve(true);
    return this.#post.ledger.heads.note(this.#token, this.#overseen.forge.repository, changes);
  }
}
