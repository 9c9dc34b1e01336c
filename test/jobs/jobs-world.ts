import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Job, JobStep } from '../../src/architecture/job-model.ts';
import type { ReleaseId, RunId } from '../../src/digest.ts';
import { createMemoryEngine } from '../../src/engine/memory/create-memory-engine.ts';
import type { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import { labels } from '../../src/engine/labels.ts';
import { jobStepTag } from '../../src/engine/step-image-tag.ts';
import type { RecordedEvent } from '../../src/events.ts';
import type { JobRun } from '../../src/job-run.ts';
import { readKept } from '../../src/jobs/kept-log.ts';
import { planOfJob } from '../../src/jobs/plan-of-job.ts';
import { withBuilder } from '../../src/jobs/builder-images.ts';
import { runJobs } from '../../src/jobs/run-jobs.ts';
import { runsAfter, type PushContext } from '../../src/jobs/runs-of-push.ts';
import { taggedStepImages } from '../../src/jobs/step-images.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { openMemoryLedger } from '../../src/ledger/memory-ledger.ts';
import type { ResolvedArchitecture } from '../../src/release/resolve-environment.ts';
import { done } from '../../src/result.ts';
import { watchEngine } from '../../src/rollout/wake.ts';
import { Secret } from '../../src/secret.ts';
import { OwnerProcess, type Boundary } from './owner-process.ts';

export const architecture = 'workshop';
const release = 'a'.repeat(64) as ReleaseId;

/** Timers hurry, and so does the clock: nobody waits for time to pass. */
const timers = {
  after(ms: number, work: () => void) {
    const timer = setTimeout(work, Math.min(ms, 2));
    return () => clearTimeout(timer);
  },
};

export const step = (name: string, more: Partial<JobStep> = {}): JobStep => ({
  name,
  agent: 'node',
  command: ['true'],
  settings: {},
  caches: {},
  artifacts: [],
  limits: { memoryBytes: 2 ** 26, processes: 64 },
  limitMs: 600_000,
  ...more,
});

export const job = (...steps: (readonly JobStep[])[]): Job => ({ on: {}, parameters: {}, steps, limitMs: 3_600_000 });

/** A running process that carries runs. */
export type Owner = { process: OwnerProcess; stop(): Promise<void> };

/** Runs of jobs over an engine and a ledger in memory. */
export class JobsWorld {
  readonly engine: MemoryEngine;
  readonly ledger: Ledger;
  readonly logs = mkdtempSync(path.join(tmpdir(), 'changeless-jobs-'));
  /** What every process said, in order. */
  readonly events: RecordedEvent[] = [];
  jobs: Readonly<Record<string, Job>> = {};
  /** How much time passes at each look of a test. */
  paceMs = 5;
  nowMs = Date.UTC(2026, 0, 1);
  readonly #owners: Owner[] = [];

  private constructor(engine: MemoryEngine, ledger: Ledger) {
    this.engine = engine;
    this.ledger = ledger;
  }

  static async make(jobs: Readonly<Record<string, Job>> = {}): Promise<JobsWorld> {
    const now = (): string => new Date(world.nowMs).toISOString();
    const world: JobsWorld = new JobsWorld(createMemoryEngine({ now }), await openMemoryLedger({ now }));
    world.jobs = jobs;
    return world;
  }

  /** Starts a process that carries runs, as `owner`. `runs`: the ledger as it sees it. */
  start(owner: string, boundary: Boundary = () => undefined, around: Around = {}): Owner {
    const process = new OwnerProcess(boundary);
    const engine = process.engine(around.engine ?? this.engine);
    const abort = new AbortController();
    const wake = watchEngine(this.engine, architecture, { timers });
    process.death.signal.addEventListener('abort', () => {
      abort.abort();
      wake.stop();
    });
    const said: RecordedEvent[] = [];
    const flush = async (): Promise<void> => {
      if (process.alive) await this.ledger.append(said.splice(0));
      else await new Promise(() => {});
    };
    const running = runJobs({
      hands: {
        engine,
        runs: process.runs(around.runs ?? this.ledger.runs),
        architecture,
        place: this.image('place'),
        images: withBuilder(taggedStepImages(this.engine.images, architecture), {
          images: this.engine.images,
          architecture: this.#resolved(),
          builder: this.image('builder'),
        }),
        followersOf: (ended) => runsAfter(ended, this.pushContext()),
        openSecret: async ({ secret }) => done(new Secret(`value of ${secret}`)),
        report: (event) => {
          if (!process.alive) return;
          const recorded = { ...event, at: new Date(this.nowMs).toISOString() };
          this.events.push(recorded);
          said.push(recorded);
        },
        isTold: async (run) => {
          await flush();
          const told = await this.ledger.events({ type: 'job-ended', limit: 500 });
          return told.some((event) => event.type === 'job-ended' && event.run === run.id);
        },
        flush,
        now: () => this.nowMs,
      },
      owner,
      logs: { folder: this.logs },
      definitions: this.pushContext(),
      mayTake: async () => process.alive,
      wake,
      timers: { after: (ms, work) => timers.after(ms, () => void (process.alive && work())) },
      signal: abort.signal,
    });
    const one = {
      process,
      async stop() {
        abort.abort();
        const dead = new Promise((resolve) => process.death.signal.addEventListener('abort', resolve));
        if (process.alive) await Promise.race([running, dead]);
        wake.stop();
      },
    };
    this.#owners.push(one);
    return one;
  }

  image(name: string): ReturnType<MemoryEngine['world']['addImage']> {
    return this.engine.world.addImage({ tag: `fixture/${name}:1` });
  }

  /** The images of the steps of a run. */
  makeImages(run: RunId, name: string): void {
    if (!this.jobs[name]) return;
    const { world } = this.engine;
    const own = (role: string) => ({ [labels.architecture]: architecture, [labels.role]: role });
    const source = world.addImage({ tag: `changeless/${architecture}/agent.node.source:1`, labels: own('source') });
    for (const { key } of this.#planned(name).plan.steps) {
      const said = { ...own('step-image'), [labels.run]: run, [labels.step]: key, [labels.source]: source };
      world.addImage({ tag: jobStepTag(architecture, run, key), labels: said });
    }
  }

  /** Asks for a run, with the images of its steps, as the command line does. */
  async ask(run: string, name: string, parameters: Readonly<Record<string, string>> = {}): Promise<RunId> {
    const id = run as RunId;
    this.makeImages(id, name);
    const request = { ask: 'run-job', run: id, job: name, commit: 'uncommitted', parameters } as const;
    await this.engine.ask(architecture, { name: `request.${run}`, image: this.image('request'), request });
    return id;
  }

  /** Accepts it without anybody asking. */
  async accept(run: string, name: string): Promise<RunId> {
    const id = run as RunId;
    this.makeImages(id, name);
    const planned = this.#planned(name);
    await this.ledger.runs.accept({ id, job: name, commit: 'uncommitted', release, environment: 'local', reason: 'push', ...planned });
    return id;
  }

  /** Resolves when it is so. Meanwhile time passes, and `meanwhile` is done again and again. */
  async until(what: string, condition: () => boolean | Promise<boolean>, meanwhile: () => void = () => {}): Promise<void> {
    const deadline = performance.now() + 20_000;
    while (!(await condition())) {
      if (performance.now() > deadline) throw new Error(`it never came to be: ${what}\n${await this.#told()}`);
      this.nowMs += this.paceMs;
      meanwhile();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  run = async (id: RunId): Promise<JobRun> => {
    const found = await this.ledger.runs.find(id);
    assert.ok(found, `there is a run ${id}`);
    return found;
  };

  async closed(id: RunId, meanwhile?: () => void): Promise<JobRun> {
    await this.until(`${id} is closed`, async () => (await this.ledger.runs.find(id))?.closedAt !== undefined, meanwhile);
    return this.run(id);
  }

  async stepsOnEngine(): Promise<string[]> {
    const listed = await this.engine.jobs.list(architecture);
    return listed.ok ? listed.value.map(({ step: key, state }) => `${key} ${state}`) : [];
  }

  /** Resolves when the step runs. */
  runs(key: string): Promise<void> {
    return this.until(`${key} runs`, async () => (await this.stepsOnEngine()).includes(`${key} running`));
  }

  async kept(run: RunId, key: string): Promise<string[]> {
    const lines: string[] = [];
    for await (const { line } of readKept({ folder: this.logs }, run, key)) lines.push(line);
    return lines;
  }

  /** What was said of a run, by type. */
  said(run: RunId, type: RecordedEvent['type']): RecordedEvent[] {
    return this.events.filter((event) => event.type === type && 'run' in event && event.run === run);
  }

  async dispose(): Promise<void> {
    // All of it, whatever failed: what is left would keep the tests' process alive.
    const stopped = await Promise.allSettled(this.#owners.map((owner) => owner.stop()));
    await this.ledger.close();
    rmSync(this.logs, { recursive: true, force: true });
    for (const each of stopped) if (each.status === 'rejected') throw each.reason;
  }

  /** What the release says of pushes. */
  pushContext(): PushContext {
    const agents = { node: this.image('node') };
    return { architecture: this.#resolved(), sealed: { token: { '1': 'sealed' } }, release, environment: 'local', agents };
  }

  #resolved(): ResolvedArchitecture {
    return {
      name: architecture,
      core: { publish: [] },
      apps: {},
      stores: {},
      agents: {},
      jobs: this.jobs,
      deliver: { repository: 'https://forge.example/acme/shop.git', branch: 'main', folder: '' },
      secrets: { token: { version: 1 } },
    };
  }

  #planned(name: string) {
    const named = { name, job: this.jobs[name]! };
    const planned = planOfJob(named, {}, { architecture: this.#resolved(), sealed: { token: { '1': 'sealed' } } });
    assert.ok(planned.ok);
    return planned.value;
  }

  async #told(): Promise<string> {
    const runs = await this.ledger.runs.list({ limit: 5 });
    return JSON.stringify({ runs, steps: await this.stepsOnEngine(), events: this.events.slice(-10) }, null, 1);
  }
}

/** What a process sees in place of the real ones. */
export type Around = { engine?: MemoryEngine; runs?: Ledger['runs'] };
