import type { Bell } from '../jobs/bell.ts';
import type { LedgerEntry } from '../ledger/channel-places.ts';
import { mostWaiting, overdue, pauseMs } from '../notify/backlog.ts';
import type { Letter, Outlet, Sent } from '../notify/outlet.ts';
import { pause } from './pause.ts';
import type { Post } from './post.ts';

/** `random`: from 0 to less than 1. `bell`: rung when something was written down. */
export type Telling = Pick<Post, 'ledger' | 'journal' | 'timers' | 'clock' | 'signal'> & { bell: Bell; random: () => number };

/** How soon is told what somebody else wrote down. */
const beatMs = 2000;

/** A message that is refused so often is passed over: it would hold up all that come after it. */
const mostRefusals = 3;

/** How long one that is being sent may take when its controller ends; the next one sends it again then. */
const lastWordMs = 2000;

/**
 * Tells outlets what is in the record, each in its order and at its own pace, until stopped. A message is sent, and then it is written
 * down that it was: whoever is killed in between, or overtaken, has it sent once more. Resolves when all have their places.
 */
export async function tellOutlets(telling: Telling, token: number, outlets: readonly Outlet[]): Promise<{ stop(): Promise<void> }> {
  if (outlets.length === 0) return { stop: async () => undefined };
  const [stopped, cut] = [new AbortController(), new AbortController()];
  const signal = AbortSignal.any([stopped.signal, telling.signal]);
  const tellers = outlets.map((outlet) => new Teller({ ...telling, signal }, { outlet, token, cut: cut.signal }));
  await Promise.all(tellers.map((teller) => teller.open()));
  const ended = Promise.all(tellers.map((teller) => teller.tell()));
  const lastWord = (): void => void telling.timers.after(lastWordMs, () => cut.abort());
  if (signal.aborted) lastWord();
  else signal.addEventListener('abort', lastWord, { once: true });
  return {
    async stop() {
      stopped.abort();
      await ended;
    },
  };
}

type Line = { outlet: Outlet; token: number; cut: AbortSignal };

/** One outlet's. */
class Teller {
  readonly #telling: Telling;
  readonly #line: Line;
  /** Undefined once another is in charge. */
  #place: { told: number; dropped: number } | undefined;
  #failures = 0;
  #refusals = 0;

  constructor(telling: Telling, line: Line) {
    this.#telling = telling;
    this.#line = line;
  }

  async open(): Promise<void> {
    this.#place = await this.#telling.ledger.channels.open(this.#line.token, this.#line.outlet.name);
  }

  async tell(): Promise<void> {
    const { bell, signal } = this.#telling;
    const next = bell.listen();
    const wake = (): void => bell.ring();
    signal.addEventListener('abort', wake, { once: true });
    while (!signal.aborted && this.#place) if (!(await this.#tellSome())) await next(beatMs);
    signal.removeEventListener('abort', wake);
  }

  /** False when there is nothing more to tell. */
  async #tellSome(): Promise<boolean> {
    const { outlet } = this.#line;
    const told = this.#place?.told ?? 0;
    const entries = await this.#telling.ledger.channels.after(told, { types: outlet.types, limit: 2 * mostWaiting });
    const last = entries.at(-1);
    if (last === undefined) return false;
    const late = overdue(entries, this.#now());
    if (late > 0) {
      await this.#drop(entries.slice(0, late));
      return true;
    }
    for (const letter of outlet.letters(entries)) if (!(await this.#send(letter))) return true;
    if (this.#place && this.#place.told < last.number) await this.#move(last.number, this.#place.dropped);
    return true;
  }

  /** Whether it is done with; if not, it is to be tried again. */
  async #send(letter: Letter): Promise<boolean> {
    const { ledger, timers, signal, clock } = this.#telling;
    const { outlet, token, cut } = this.#line;
    if (signal.aborted || !this.#place) return false;
    if (!(await ledger.mayAct(token))) {
      this.#place = undefined;
      return false;
    }
    const sent = await letter.send({ dropped: this.#place.dropped, now: clock(), signal: cut });
    if (sent.state !== 'taken' && !this.#isGivenUp(sent)) {
      await this.#wait(sent);
      return false;
    }
    this.#failures = 0;
    this.#refusals = 0;
    if (sent.state !== 'taken') this.#sayLost(1, sent.why);
    await this.#move(letter.number, sent.state === 'taken' ? 0 : this.#place.dropped);
    if (outlet.paceMs !== undefined) await pause(outlet.paceMs, { signal, timers });
    return true;
  }

  #isGivenUp(sent: Exclude<Sent, { state: 'taken' }>): boolean {
    if (sent.state === 'refused') this.#refusals += 1;
    return this.#refusals >= mostRefusals;
  }

  async #wait(sent: Exclude<Sent, { state: 'taken' }>): Promise<void> {
    const { random, journal, timers, signal } = this.#telling;
    this.#failures += 1;
    // Once for each time that it is away, and not for what was over a moment later.
    if (this.#failures === 3) journal.report({ type: 'notice-delayed', channel: this.#line.outlet.name, why: sent.why });
    const afterMs = sent.state === 'later' ? sent.afterMs : undefined;
    await pause(pauseMs(this.#failures, { random: random(), ...(afterMs !== undefined && { afterMs }) }), { signal, timers });
  }

  /** They came so long ago, or so many came after them, that they are not told any more. */
  async #drop(entries: readonly LedgerEntry[]): Promise<void> {
    const count = this.#line.outlet.letters(entries).length;
    const last = entries.at(-1)?.number ?? 0;
    await this.#move(last, (this.#place?.dropped ?? 0) + count);
    if (this.#place && count > 0) this.#sayLost(count, `more waited than ${mostWaiting}, or longer than three days`);
  }

  #sayLost(count: number, why: string): void {
    this.#telling.journal.report({ type: 'notice-lost', channel: this.#line.outlet.name, count, why });
  }

  async #move(to: number, dropped: number): Promise<void> {
    const from = this.#place?.told ?? 0;
    const { ledger } = this.#telling;
    const moved = await ledger.channels.move(this.#line.token, this.#line.outlet.name, { from, to, dropped });
    this.#place = moved ? { told: to, dropped } : undefined;
  }

  #now(): number {
    return this.#telling.clock().getTime();
  }
}
