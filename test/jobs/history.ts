import { takeInbox } from '../../src/controller/take-inbox.ts';
import type { RunId } from '../../src/digest.ts';
import type { InboxFile, InboxFiles } from '../../src/gateway/inbox-files.ts';
import { InboxReader } from '../../src/gateway/inbox-reader.ts';
import type { InboxWriter } from '../../src/gateway/inbox-writer.ts';
import { closeOthers } from '../../src/gateway/sweep-inbox.ts';
import type { JobRun } from '../../src/job-run.ts';
import { runsOfPush } from '../../src/jobs/runs-of-push.ts';
import { deliveryOf, writerOf } from '../gateway/inbox-fixture.ts';
import { PowerlessFiles } from '../gateway/powerless-files.ts';
import { tokenOf } from '../gateway/taking-fixture.ts';
import { Random } from '../simulation/random.ts';
import { job, JobsWorld, step, type Owner } from './jobs-world.ts';

const jobs = {
  test: { ...job([step('unit')]), on: { push: {} } },
  report: { ...job([step('send')]), on: { after: ['test'] } },
};

/** What came of it. `acknowledged`: deliveries; `kills` and `pauses`: of controllers. */
export type HistoryEnd = { findings: string[]; acknowledged: number; runs: number; kills: number; pauses: number };

const never = <T>(): Promise<T> => new Promise(() => {});

/**
 * A forge that sends each delivery once, and never again; gateways that are killed while they write; two controllers that are killed and
 * stopped at boundaries; an engine that goes away, and whose steps may end with it. What was acknowledged is to be in the ledger once, and
 * each run that it started is to end once, with each of its steps begun at most once.
 */
export async function runHistory(seed: number, deliveries: number): Promise<HistoryEnd> {
  const world = await JobsWorld.make(jobs);
  const history = new History(world, new Random(seed));
  try {
    await history.happen(deliveries);
    return { ...(await history.judged()), ...history.counts };
  } finally {
    history.end();
    await world.dispose();
  }
}

class History {
  readonly counts = { acknowledged: 0, kills: 0, pauses: 0 };
  readonly #world: JobsWorld;
  readonly #random: Random;
  readonly #files = new PowerlessFiles();
  readonly #acknowledged = new Set<string>();
  readonly #findings: string[] = [];
  readonly #controllers = new Map<string, { owner: Owner; lives: number }>();
  #gateway: { writer: InboxWriter; alive: boolean } | undefined;
  #isCalm = false;
  #claiming: Promise<unknown> = Promise.resolve();
  #token = 0;

  constructor(world: JobsWorld, random: Random) {
    this.#world = world;
    this.#random = random;
    // As the builder does it.
    world.engine.jobs.onStep = (spec) => {
      if (spec.step === 'builder/prepare') world.makeImages(spec.run, spec.job);
      return 'runs';
    };
  }

  /** All is sent, whatever goes wrong meanwhile; then nothing goes wrong any more until all is at rest. */
  async happen(deliveries: number): Promise<void> {
    const world = this.#world;
    let sent = 0;
    const meanwhile = (): void => this.#goOn();
    const send = (): void => {
      if (sent === deliveries || !this.#random.chance(0.3)) return;
      sent += 1;
      void this.#send(`d${sent}`);
    };
    await world.until(
      'all is sent',
      () => sent === deliveries,
      () => (send(), meanwhile()),
    );
    this.#isCalm = true;
    world.engine.world.startEngine();
    await world.until('all is at rest', () => this.#isAtRest(), meanwhile);
  }

  async judged(): Promise<{ findings: string[]; runs: number }> {
    const { ledger, engine } = this.#world;
    const taken = await ledger.deliveries({ limit: 100_000 });
    const ids = taken.map(({ id }) => id);
    const find = (isSo: boolean, what: string): void => void (isSo && this.#findings.push(what));
    for (const id of this.#acknowledged) find(!ids.includes(id), `${id} was acknowledged, and is lost`);
    find(new Set(ids).size !== ids.length, 'a delivery was taken twice');
    const runs = await this.#runs();
    const started = new Set(runs.map(({ push }) => push?.delivery));
    for (const { number, id } of taken) find(!started.has(number), `${id} started nothing`);
    const told = await ledger.events({ type: 'job-ended', limit: 100_000 });
    for (const { id, outcome, closedAt } of runs) {
      find(outcome === undefined || closedAt === undefined, `${id} did not end`);
      const ends = told.filter((event) => 'run' in event && event.run === id).length;
      find(ends !== 1, `the end of ${id} was told ${ends} times`);
    }
    find(new Set(engine.jobs.began).size !== engine.jobs.began.length, 'a step ran twice');
    const left = await this.#world.stepsOnEngine();
    find(left.length > 0, `left on the engine: ${left.join(', ')}`);
    return { findings: this.#findings, runs: runs.length };
  }

  end(): void {
    for (const { owner } of this.#controllers.values()) owner.process.die();
  }

  #runs(): Promise<JobRun[]> {
    return this.#world.ledger.runs.list({ limit: 100_000 });
  }

  async #isAtRest(): Promise<boolean> {
    const { ledger, nowMs } = this.#world;
    // Looking at everything costs more than all else.
    if ((nowMs / this.#world.paceMs) % 20 !== 0) return false;
    const taken = new Set((await ledger.deliveries({ limit: 100_000 })).map(({ id }) => id));
    if (![...this.#acknowledged].every((id) => taken.has(id))) return false;
    return (await this.#runs()).every(({ closedAt }) => closedAt !== undefined) && (await this.#world.stepsOnEngine()).length === 0;
  }

  /** The forge: once, to whichever gateway is there; none may be. */
  async #send(id: string): Promise<void> {
    const gateway = this.#gateway;
    if (!gateway?.alive) return;
    const written = await gateway.writer.append({ ...deliveryOf(id), repository: 'acme/shop', after: 'c'.repeat(40) });
    if (!written.ok || !gateway.alive) return;
    this.#acknowledged.add(id);
    this.counts.acknowledged += 1;
  }

  /** A moment passes. */
  #goOn(): void {
    const { jobs: steps, world } = this.#world.engine;
    for (const name of ['a', 'b']) if (this.#controllers.get(name)?.owner.process.alive !== true) this.#startController(name);
    if (!this.#gateway?.alive) this.#startGateway();
    for (const running of steps.runningSteps()) {
      const [run, key = ''] = running.split(' ');
      if (this.#random.chance(0.2)) steps.finish(run as RunId, key, this.#random.chance(0.05) ? 1 : 0);
    }
    if (this.#isCalm) return;
    if (!world.machine.running) {
      if (this.#random.chance(0.2)) world.startEngine();
    } else if (this.#random.chance(0.005)) {
      world.stopEngine();
      // With live-restore they run on.
      if (this.#random.chance(0.5))
        for (const running of steps.runningSteps()) steps.finish(running.split(' ')[0] as RunId, running.split(' ')[1] ?? '', 255);
    }
  }

  #startGateway(): void {
    const gateway = { alive: true };
    const files = dyingWith(gateway, this.#files, () => !this.#isCalm && this.#random.chance(0.03));
    this.#gateway = Object.assign(gateway, { writer: writerOf(files, 2000) });
    void closeOthers(files);
  }

  #startController(name: string): void {
    const lives = (this.#controllers.get(name)?.lives ?? 0) + 1;
    const world = this.#world;
    const owner = world.start(name, () => this.#atBoundary());
    this.#controllers.set(name, { owner, lives });
    void this.#takeInbox(owner, `${name}${lives}`);
  }

  /** Whoever comes last is in charge of the inbox; runs belong to whoever has them. */
  async #takeInbox({ process }: Owner, container: string): Promise<void> {
    const { ledger } = this.#world;
    // One after another: two rollouts are never under way at once.
    const claimed = this.#claiming.then(() => tokenOf(ledger, container));
    this.#claiming = claimed;
    const token = await claimed;
    if (token <= this.#token) this.#findings.push(`token ${token} came after ${this.#token}`);
    this.#token = token;
    const taking = {
      inbox: process.taking(new InboxReader(this.#files, 400)),
      ledger: process.taking(ledger),
      journal: { report: () => {}, flush: async () => {} },
      print: () => {},
      timers: {
        after: (_ms: number, work: () => void) =>
          (
            (timer) => () =>
              clearTimeout(timer)
          )(setTimeout(work, 2)),
      },
      signal: process.death.signal,
      runsOf: (delivery: Parameters<typeof runsOfPush>[0]) => runsOfPush(delivery, this.#world.pushContext()),
    };
    takeInbox(taking, token);
  }

  #atBoundary(): 'die' | Promise<void> | undefined {
    if (this.#isCalm) return undefined;
    if (this.#random.chance(0.08)) {
      this.counts.kills += 1;
      return 'die';
    }
    if (!this.#random.chance(0.01)) return undefined;
    this.counts.pauses += 1;
    return this.#paused(this.#random.between(1, 800));
  }

  /** As long as a lease, or several times as long. */
  async #paused(rounds: number): Promise<void> {
    for (let round = 0; round < rounds && !this.#isCalm; round += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A gateway that is killed before or after a call to the disk. It learns of no end of what it began; what it wrote is there. */
function dyingWith(gateway: { alive: boolean }, files: PowerlessFiles, dies: () => boolean): InboxFiles {
  const lives = (): boolean => {
    if (gateway.alive && dies()) gateway.alive = false;
    return gateway.alive;
  };
  const unlessDead = async <T>(work: () => Promise<T>): Promise<T> => {
    if (!lives()) return never();
    const answer = await work();
    return lives() ? answer : never();
  };
  return {
    names: () => unlessDead(() => files.names()),
    make: (name) =>
      unlessDead(async (): Promise<InboxFile> => {
        const file = await files.make(name);
        return {
          append: (pieces) => unlessDead(() => file.append(pieces)),
          sync: () => unlessDead(() => file.sync()),
          close: () => unlessDead(() => file.close()),
        };
      }),
    size: (name) => unlessDead(() => files.size(name)),
    read: (...words) => unlessDead(() => files.read(...words)),
    rename: (...words) => unlessDead(() => files.rename(...words)),
    remove: (name) => unlessDead(() => files.remove(name)),
  };
}
