import type { Engine } from '../../src/engine/engine.ts';
import type { JobSteps } from '../../src/engine/job-steps.ts';
import type { JobRuns } from '../../src/ledger/job-runs.ts';

/**
 * Told at each boundary of a process, before and after every call that changes something. `die`: it is killed there; a promise: it stands
 * still, with all it does, until that resolves.
 */
export type Boundary = (where: string) => 'die' | Promise<void> | undefined;

const never = <T>(): Promise<T> => new Promise(() => {});

/** Calls that only look are answered as long as the process lives; they are no boundaries. */
const looks: ReadonlySet<PropertyKey> = new Set(['mayAct', 'find', 'list', 'renew', 'requests', 'claim', 'inboxTaken', 'next']);

/** A process that runs jobs, as far as it can be killed: once dead it learns no answer, and asks for nothing more. */
export class OwnerProcess {
  alive = true;
  readonly death = new AbortController();
  readonly #boundary: Boundary;
  #stillness: Promise<void> | undefined;

  constructor(boundary: Boundary) {
    this.#boundary = boundary;
  }

  die(): void {
    this.alive = false;
    this.death.abort();
  }

  engine(engine: Engine): Engine {
    const jobs = this.#reached(engine.jobs, 'engine') as JobSteps;
    const logs: JobSteps['logs'] = (architecture, name, options) => {
      const signal = options.signal ? AbortSignal.any([options.signal, this.death.signal]) : this.death.signal;
      return engine.jobs.logs(architecture, name, { ...options, signal });
    };
    const own = new Proxy(jobs, { get: (target, key) => (key === 'logs' ? logs : Reflect.get(target, key)) });
    const takeRequest: Engine['takeRequest'] = (on, name) => this.#call('engine takeRequest', () => engine.takeRequest(on, name));
    const requests: Engine['requests'] = (on) => this.#look(() => engine.requests(on));
    return new Proxy(engine, {
      get: (target, key) =>
        key === 'jobs' ? own : key === 'takeRequest' ? takeRequest : key === 'requests' ? requests : Reflect.get(target, key),
    });
  }

  runs(runs: JobRuns): JobRuns {
    return this.#reached(runs, 'ledger') as JobRuns;
  }

  /** The ledger, or the inbox, of who takes deliveries in this process. */
  taking<T extends object>(of: T): T {
    return this.#reached(of, 'taking') as T;
  }

  #reached(of: object, name: string): object {
    return new Proxy(of, {
      get: (target, key) => {
        const member: unknown = Reflect.get(target, key);
        if (typeof member !== 'function') return member;
        const work = (...given: unknown[]): Promise<unknown> => Reflect.apply(member, target, given) as Promise<unknown>;
        return (...given: unknown[]) =>
          looks.has(key) ? this.#look(() => work(...given)) : this.#call(`${name} ${String(key)}`, () => work(...given));
      },
    });
  }

  async #look<T>(work: () => Promise<T>): Promise<T> {
    await this.#stillness;
    if (!this.alive) return never();
    const answer = await work();
    await this.#stillness;
    return this.alive ? answer : never();
  }

  async #call<T>(what: string, work: () => Promise<T>): Promise<T> {
    if (!(await this.#crosses(`before ${what}`))) return never();
    const answer = await work();
    return (await this.#crosses(`after ${what}`)) ? answer : never();
  }

  async #crosses(where: string): Promise<boolean> {
    await this.#stillness;
    const met = this.alive ? this.#boundary(where) : undefined;
    if (met === 'die') this.die();
    else if (met) this.#stillness = met;
    await this.#stillness;
    return this.alive;
  }
}
