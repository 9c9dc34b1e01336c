import { takeInbox, type Taking } from '../../src/controller/take-inbox.ts';
import type { Inbox, RunsOfDelivery } from '../../src/ledger/delivery.ts';
import type { RecordedEvent } from '../../src/events.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { claimBy } from '../ledger/ledger-fixture.ts';

/** What a process that was killed waits for. */
const never = <T>(): Promise<T> => new Promise(() => {});

/** A process that takes an inbox into a ledger, and is killed at the boundary of that number; `boundaries` counts those it crossed. */
export class Taker {
  boundaries = 0;
  readonly printed: RecordedEvent[] = [];
  readonly reported: unknown[] = [];
  readonly #killAt: number;
  readonly #runsOf: RunsOfDelivery;
  readonly #abort = new AbortController();
  #looks = 0;

  /** `runsOf`: what deliveries start; nothing. */
  constructor(killAt = Infinity, runsOf: RunsOfDelivery = () => []) {
    this.#killAt = killAt;
    this.#runsOf = runsOf;
  }

  /** Takes until nothing more is there, or it was killed. */
  async take({ ledger, inbox, token }: { ledger: Ledger; inbox: Inbox; token: number }): Promise<void> {
    const taking: Taking = {
      inbox: { next: (taken) => this.#crossing(() => inbox.next(taken)) },
      ledger: { ...reading(ledger), takeDeliveries: (...words) => this.#crossing(() => ledger.takeDeliveries(...words)) } as Ledger,
      journal: { report: (event) => this.reported.push(event), flush: async () => {} },
      print: (event) => this.printed.push(event),
      timers: { after: (_ms, work) => this.#rest(work) },
      signal: this.#abort.signal,
      runsOf: this.#runsOf,
    };
    const running = takeInbox(taking, token);
    const ended = new Promise((resolve) => this.#abort.signal.addEventListener('abort', resolve));
    await ended;
    if (!this.#isDead) await running.stop();
  }

  get #isDead(): boolean {
    return this.boundaries > this.#killAt;
  }

  async #crossing<T>(work: () => Promise<T>): Promise<T> {
    if (this.#dies()) return never();
    const answer = await work();
    return this.#dies() ? never() : answer;
  }

  #dies(): boolean {
    this.boundaries += 1;
    if (this.#isDead) this.#abort.abort();
    return this.#isDead;
  }

  /** It rests when nothing is there: twice in a row, and all is taken. */
  #rest(work: () => void): () => void {
    this.#looks += 1;
    setImmediate(() => (this.#looks > 1 ? this.#abort.abort() : work()));
    return () => {};
  }
}

const reading = (ledger: Ledger): Partial<Ledger> => ({ inboxTaken: () => ledger.inboxTaken(), mayAct: (token) => ledger.mayAct(token) });

/** The token of a rollout that is live, of a controller of that name. */
export async function tokenOf(ledger: Ledger, controller = 'a'): Promise<number> {
  const claim = await claimBy(ledger, controller);
  if (claim.state !== 'yours') throw new Error(claim.state);
  await ledger.end(claim.token, { outcome: 'live' });
  return claim.token;
}
