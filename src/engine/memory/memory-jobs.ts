import type { RunId } from '../../digest.ts';
import { done, failed, type Result } from '../../result.ts';
import type { LogLine, LogOptions, SecretValues } from '../engine.ts';
import type { BroughtArtifacts, JobSteps, JobStepName, JobStepSpec, ObservedJobStep, StepPlace } from '../job-steps.ts';
import { carryOut, engineAbsent } from './effects.ts';
import type { MemoryWorld, Verb } from './world.ts';

/** `folder`: what is below `/work`, path → contents. */
type StepRecord = {
  spec: JobStepSpec;
  container: string;
  state: ObservedJobStep['state'];
  folder: Map<string, string>;
  startedAt?: string;
  endedAt?: string;
  exitCode?: number;
  exceeded?: 'memory' | 'disk';
  /** Nobody may start it any more. */
  isForbidden?: true;
};

const keyOf = ({ run, step }: JobStepName): string => `${run} ${step}`;

/** Steps of jobs in memory, and what tests do to them. */
export class MemoryJobs implements JobSteps {
  /** Every step that began to run, in order, as `<run> <step>`. */
  readonly began: string[] = [];
  /** Names of caches that are there. */
  readonly caches = new Set<string>();
  /** The exit code a step ends with as soon as it has begun, or that it runs on, to be ended by `finish`; 0 without it. */
  onStep: ((spec: JobStepSpec, folder: Map<string, string>, values: SecretValues) => number | 'runs') | undefined;
  /** Whether a step ends when it is told to; all do without it. SIGKILL ends every one. */
  obeys: ((spec: JobStepSpec) => boolean) | undefined;
  readonly #world: MemoryWorld;
  readonly #steps = new Map<string, Map<string, StepRecord>>();

  constructor(world: MemoryWorld) {
    this.#world = world;
  }

  async prepare(architecture: string, spec: JobStepSpec, brought: readonly BroughtArtifacts[]): Promise<Result<string>> {
    const steps = this.#of(architecture);
    const isKept = (): boolean => (steps.get(keyOf(spec))?.state ?? 'created') !== 'created';
    const discard = (): Result<void> | void => {
      // Gone with the run, for whoever was paused meanwhile.
      if (!this.#world.images.has(spec.image)) return failed({ code: 'ENGINE_REFUSED', what: `the engine has no image ${spec.image}` });
      if (!isKept()) steps.delete(keyOf(spec));
    };
    const create = (): void => {
      if (isKept()) return;
      const { container } = this.#world.machine.newContainer();
      steps.set(keyOf(spec), { spec, container, state: 'created', folder: new Map() });
      for (const cache of Object.keys(spec.caches)) this.caches.add(cache);
    };
    const copy = (): Result<void> | void => {
      const record = steps.get(keyOf(spec));
      if (!record || isKept()) return;
      for (const { from, paths } of brought) {
        const folder = steps.get(keyOf({ run: spec.run, step: from }))?.folder;
        for (const path of paths) {
          const contents = folder?.get(path);
          if (contents === undefined) return failed({ code: 'ARTIFACT_MISSING', what: `step ${from} left no ${path}` });
          record.folder.set(path, contents);
        }
      }
    };
    const result = await this.#effect('prepareJobStep', architecture, { name: keyOf(spec), stages: [discard, create, copy] });
    return result.ok ? done(steps.get(keyOf(spec))?.container ?? '') : result;
  }

  async start(architecture: string, prepared: Parameters<JobSteps['start']>[1]): Promise<Result<void>> {
    const { container, spec, values = {} } = prepared;
    const start = (): Result<void> | void => {
      const record = this.#of(architecture).get(keyOf(spec));
      if (record?.container !== container || record.isForbidden)
        return failed({ code: 'ENGINE_REFUSED', what: `there is no container ${container}` });
      if (record.state !== 'created') return;
      const missing = spec.secrets.find(({ file }) => values[file] === undefined);
      if (missing) return failed({ code: 'ENGINE_REFUSED', what: `${spec.step} cannot start without the value of ${missing.secret}` });
      this.#begin(architecture, record, values);
    };
    return this.#effect('startJobStep', architecture, { name: keyOf(spec), stages: [start] });
  }

  async forbid(architecture: string, name: JobStepName): Promise<Result<boolean>> {
    const record = this.#of(architecture).get(keyOf(name));
    const forbid = (): void => {
      if (record?.state === 'created') record.isForbidden = true;
    };
    const result = await this.#effect('forbidJobStep', architecture, { name: keyOf(name), stages: [forbid] });
    return result.ok ? done(record === undefined || record.state === 'created') : result;
  }

  async where(architecture: string, name: JobStepName): Promise<Result<StepPlace | undefined>> {
    if (!this.#world.machine.running) return failed(engineAbsent);
    const record = this.#of(architecture).get(keyOf(name));
    return done(record && { container: record.container, address: '10.1.2.3', host: { name: 'memory', address: '192.0.2.7' } });
  }

  async list(architecture: string): Promise<Result<readonly ObservedJobStep[]>> {
    if (!this.#world.machine.running) return failed(engineAbsent);
    return done([...this.#of(architecture).values()].map(observed));
  }

  async signal(architecture: string, name: JobStepName, signal: 'SIGTERM' | 'SIGKILL'): Promise<Result<void>> {
    const tell = (): void => {
      const record = this.#of(architecture).get(keyOf(name));
      if (!record || (signal === 'SIGTERM' && this.obeys?.(record.spec) === false)) return;
      this.#end(architecture, record, signal === 'SIGTERM' ? 143 : 137);
    };
    return this.#effect('signalJobStep', architecture, { name: keyOf(name), stages: [tell] });
  }

  async remove(architecture: string, name: JobStepName): Promise<Result<void>> {
    const end = (): void => {
      const record = this.#of(architecture).get(keyOf(name));
      if (record) this.#end(architecture, record, 137);
    };
    const remove = (): void => void this.#of(architecture).delete(keyOf(name));
    return this.#effect('removeJobStep', architecture, { name: keyOf(name), stages: [end, remove] });
  }

  async clear(architecture: string, { caches }: { caches: boolean }): Promise<Result<void>> {
    const clear = (): void => {
      this.#of(architecture).clear();
      if (caches) this.caches.clear();
    };
    return this.#effect('clearJobs', architecture, { name: 'jobs', stages: [clear] });
  }

  async *logs(architecture: string, name: JobStepName, options: LogOptions): AsyncIterable<LogLine> {
    const record = this.#of(architecture).get(keyOf(name));
    if (!record) return;
    const { lines, feed, ended } = this.#world.machine.logOf(record.container);
    const recent = lines.filter(({ at }) => options.since === undefined || at >= options.since);
    const tail = options.tail === undefined ? recent : recent.slice(-options.tail);
    if (options.follow && !ended) yield* feed.read(tail, options.signal);
    else yield* tail;
  }

  /** A step prints a line. */
  print(run: RunId, step: string, line: string): void {
    const { record } = this.#found(run, step);
    this.#world.machine.print(record.container, line);
  }

  /** A step ends by itself. */
  finish(run: RunId, step: string, exitCode: number): void {
    const { architecture, record } = this.#found(run, step);
    this.#end(architecture, record, exitCode);
  }

  /** Those that run, as `<run> <step>`. */
  runningSteps(): string[] {
    const all = [...this.#steps.values()].flatMap((steps) => [...steps.values()]);
    return all.filter(({ state }) => state === 'running').map(({ spec }) => keyOf(spec));
  }

  /** A step has written more than it may. */
  fill(run: RunId, step: string): void {
    this.#found(run, step).record.exceeded = 'disk';
  }

  /** Somebody removed its container behind our back. */
  lose(run: RunId, step: string): void {
    this.#steps.get(this.#found(run, step).architecture)?.delete(keyOf({ run, step }));
  }

  #begin(architecture: string, record: StepRecord, values: SecretValues): void {
    const { spec, container } = record;
    record.state = 'running';
    record.startedAt = this.#world.machine.now();
    this.began.push(keyOf(spec));
    this.#tell(architecture, record, 'started');
    const end = this.onStep?.(spec, record.folder, values) ?? 0;
    if (end !== 'runs')
      queueMicrotask(() => {
        if (this.#of(architecture).get(keyOf(spec))?.container === container) this.#end(architecture, record, end);
      });
  }

  #end(architecture: string, record: StepRecord, exitCode: number): void {
    if (record.state !== 'running') return;
    Object.assign(record, { state: 'exited', exitCode, endedAt: this.#world.machine.now() });
    this.#world.machine.endLog(record.container);
    this.#tell(architecture, record, 'died');
  }

  #tell(architecture: string, { spec, container }: StepRecord, kind: 'started' | 'died'): void {
    const { machine } = this.#world;
    machine.emit(machine.of(architecture), { kind, name: keyOf(spec), container, action: kind });
    machine.changed();
  }

  #found(run: RunId, step: string): { architecture: string; record: StepRecord } {
    for (const [architecture, steps] of this.#steps) {
      const record = steps.get(keyOf({ run, step }));
      if (record) return { architecture, record };
    }
    throw new Error(`no step is called ${run} ${step}`);
  }

  #of(architecture: string): Map<string, StepRecord> {
    const steps = this.#steps.get(architecture) ?? new Map<string, StepRecord>();
    this.#steps.set(architecture, steps);
    return steps;
  }

  #effect(verb: Verb, architecture: string, { name, stages }: { name: string; stages: (() => Result<void> | void)[] }) {
    return carryOut(this.#world, { verb, architecture, name }, stages);
  }
}

const observed = ({ spec, container, state, folder: _, isForbidden: __, ...life }: StepRecord): ObservedJobStep => ({
  run: spec.run,
  step: spec.step,
  job: spec.job,
  token: spec.token,
  container,
  state,
  ...life,
});
