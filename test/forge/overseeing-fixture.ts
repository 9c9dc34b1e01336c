import { oversee } from '../../src/controller/oversee.ts';
import type { ChangelessEvent, RecordedEvent } from '../../src/events.ts';
import { GithubForge } from '../../src/forge/github/github-forge.ts';
import { sendHttp } from '../../src/http.ts';
import type { RunsOfDelivery } from '../../src/ledger/delivery.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { done } from '../../src/result.ts';
import { Secret } from '../../src/secret.ts';
import type { GithubOnLoopback } from './github-on-loopback.ts';

/** What a process that was killed waits for. */
const never = <T>(): Promise<T> => new Promise(() => {});

const mostLooks = 60;

/** A process that oversees a forge, and is killed at the boundary of that number; `boundaries` counts those it crossed. */
export class OverseeingProcess {
  boundaries = 0;
  /** How often it has looked at the forge, and waits to do so again. */
  looks = 0;
  readonly printed: RecordedEvent[] = [];
  readonly reported: ChangelessEvent[] = [];
  readonly pauses: number[] = [];
  /** What is accepted with what it takes. */
  runsOf: RunsOfDelivery = () => [];
  /** What happens right before it takes something. */
  beforeTaking: (() => Promise<void>) | undefined;
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

  /** Looks until the condition holds between two looks, or it was killed. Time passes with its pauses alone. */
  async look(
    token: number,
    {
      github,
      until,
      isWanted = () => true,
    }: { github: GithubOnLoopback; until: () => boolean | Promise<boolean>; isWanted?: (branch: string) => boolean },
  ): Promise<void> {
    let nowMs = Date.UTC(2026, 0, 1);
    const clock = (): Date => new Date(nowMs);
    let isOver = (): void => {};
    let fail = (_error: Error): void => {};
    const over = new Promise<void>((resolve, reject) => ([isOver, fail] = [resolve, reject]));
    const after = (ms: number, work: () => void): (() => void) => {
      this.pauses.push(ms);
      this.looks += 1;
      if (this.looks > mostLooks)
        fail(new Error(`it never came to be: ${github.requests.slice(-5).join()} ${JSON.stringify(this.reported)}`));
      void (async () => {
        if (this.isDead || (await until())) return isOver();
        nowMs += ms;
        work();
      })();
      return () => undefined;
    };
    const forge = new GithubForge({
      api: github.api,
      repository: github.repository,
      token: async () => done(new Secret(github.token)),
      http: (request) => this.#crossing(() => sendHttp(request)),
      clock,
      webhook: { host: 'deliver.example.com', path: '/webhooks/github' },
    });
    const death = new Promise((resolve) => this.#abort.signal.addEventListener('abort', resolve));
    const overseeing = oversee(
      {
        ledger: this.#crossed(),
        journal: { report: (event) => this.reported.push(event), flush: async () => {} },
        print: (event) => this.printed.push(event),
        timers: { after },
        clock,
        random: () => 0.5,
        runsOf: this.runsOf,
        signal: this.#abort.signal,
      },
      token,
      { forge, isWanted },
    );
    await Promise.race([over, death]);
    this.#abort.abort();
    if (!this.isDead) await overseeing.stop();
  }

  #crossed(): Ledger {
    const ledger = this.#ledger;
    return {
      mayAct: (token) => this.#crossing(() => ledger.mayAct(token)),
      inboxTaken: () => this.#crossing(() => ledger.inboxTaken()),
      takeDeliveries: (...words) =>
        this.#crossing(async () => {
          await this.beforeTaking?.();
          return ledger.takeDeliveries(...words);
        }),
      heads: {
        noted: (...words) => this.#crossing(() => ledger.heads.noted(...words)),
        note: (...words) => this.#crossing(() => ledger.heads.note(...words)),
        newestPush: (...words) => this.#crossing(() => ledger.heads.newestPush(...words)),
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
    if (this.isDead) this.#abort.abort();
    return this.isDead;
  }
}
