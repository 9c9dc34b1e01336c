import { tellOutlets } from '../../src/controller/tell-channels.ts';
import type { ChangelessEvent, RecordedEvent } from '../../src/events.ts';
import { Bell } from '../../src/jobs/bell.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { noticedTypes, noticeOf } from '../../src/notify/notice.ts';
import type { Letter, Outlet, Sending, Sent } from '../../src/notify/outlet.ts';

/** What a process that was killed waits for. */
const never = <T>(): Promise<T> => new Promise(() => {});

export const alarm = (name: string, at = '2026-01-01T00:00:00.000Z'): RecordedEvent => ({
  type: 'alarm-fired',
  unit: { kind: 'app', name: 'catalog' },
  alarm: name,
  what: name,
  at,
});

/** A channel that answers what it is told to, or takes all. `got`: what it took, and how much it was told was lost before. */
export class Channel {
  readonly asked: string[] = [];
  readonly got: string[] = [];
  readonly lost: number[] = [];
  answer: (what: string) => Sent | Promise<Sent> = () => ({ state: 'taken' });
  readonly name: string;

  constructor(name = 'ops') {
    this.name = name;
  }

  outlet(around: (work: () => Promise<Sent>) => Promise<Sent> = (work) => work()): Outlet {
    return {
      name: this.name,
      types: noticedTypes,
      letters: (entries) =>
        entries.flatMap(({ number, event }): Letter[] => {
          const notice = noticeOf(event);
          return notice === undefined
            ? []
            : [{ number, send: (sending) => around(() => this.#take(notice.replace('alarm ', ''), sending)) }];
        }),
    };
  }

  async #take(what: string, { dropped }: Sending): Promise<Sent> {
    this.asked.push(what);
    const sent = await this.answer(what);
    if (sent.state !== 'taken') return sent;
    this.got.push(what);
    if (dropped > 0) this.lost.push(dropped);
    return sent;
  }
}

/** A process that tells channels, and is killed at the boundary of that number; `boundaries` counts those it crossed. */
export class TellingProcess {
  boundaries = 0;
  readonly reported: ChangelessEvent[] = [];
  /** How long it waited, each time. */
  readonly pauses: number[] = [];
  nowMs = Date.UTC(2026, 0, 1);
  readonly #killAt: number;
  readonly #abort = new AbortController();
  readonly #ledger: Ledger;

  constructor(ledger: Ledger, killAt = Infinity) {
    this.#ledger = ledger;
    this.#killAt = killAt;
  }

  get isDead(): boolean {
    return this.boundaries > this.#killAt;
  }

  /** Tells until the condition holds, or it was killed. */
  async tell(token: number, { channels, until }: { channels: readonly Channel[]; until: () => boolean | Promise<boolean> }): Promise<void> {
    const bell = new Bell(this.#timers);
    const telling = tellOutlets(
      {
        ledger: this.#crossed(),
        journal: { report: (event) => this.reported.push(event), flush: async () => {} },
        timers: this.#timers,
        clock: () => new Date(this.nowMs),
        random: () => 0,
        bell,
        signal: this.#abort.signal,
      },
      token,
      channels.map((channel) => channel.outlet((work) => this.#crossing(work))),
    );
    const deadline = performance.now() + 20_000;
    while (!this.isDead && !(await until())) {
      if (performance.now() > deadline) throw new Error(`it never came to be: ${JSON.stringify(this.reported)}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#abort.abort();
    if (!this.isDead) await (await telling).stop();
  }

  readonly #timers = {
    after: (ms: number, work: () => void): (() => void) => {
      this.pauses.push(ms);
      const timer = setTimeout(() => void (this.isDead || work()), 1);
      return () => clearTimeout(timer);
    },
  };

  #crossed(): Ledger {
    const { channels } = this.#ledger;
    return {
      mayAct: (token) => this.#crossing(() => this.#ledger.mayAct(token)),
      channels: {
        open: (...words) => this.#crossing(() => channels.open(...words)),
        after: (...words) => this.#crossing(() => channels.after(...words)),
        move: (...words) => this.#crossing(() => channels.move(...words)),
      },
    } as Partial<Ledger> as Ledger;
  }

  async #crossing<T>(work: () => Promise<T>): Promise<T> {
    if (this.#dies()) return never();
    const answer = await work();
    return this.#dies() ? never() : answer;
  }

  #dies(): boolean {
    this.boundaries += 1;
    return this.isDead;
  }
}
