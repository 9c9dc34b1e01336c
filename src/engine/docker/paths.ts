import { isReport, parsePathLine, type PathMeasures } from '../../datapath/path-log.ts';
import type { LogLine, PathPhase } from '../engine.ts';
import type { DockerClient } from './client.ts';
import { signalContainer } from './containers.ts';
import { Refusal } from './failure.ts';
import { readLog } from './logs.ts';

/** `isOlder`: it says on standard output what others say on standard error, as paths did before there were access logs. */
type Known = { phase: PathPhase; at: string; isOlder: boolean };
/** `known`: from where it is read on. Without `tail` all of it is read. */
type Reading = { known?: Known | undefined; tail?: number; isOlder?: boolean };
/** So far. `isJoined`: from what was known on, nothing is missing. `isNews`: it said what it does. `on`: the stream it said so on. */
type Heard = { phase: PathPhase; at: string; isJoined: boolean; isNews: boolean; on?: LogLine['stream'] };
type Read = { phase: PathPhase; isSure: boolean; hasReported: boolean };
type Follow = { container: string; limitMs: number };
type Waited = { phase: PathPhase; reached: boolean; ended: boolean };

/**
 * How many last lines are looked at for what a path said last, more and more of them, then all. The engine finds last lines from the
 * end, and reads everything for lines since a moment; it counts those of the access log, too, before it leaves them out.
 */
const TAILS = [20, 200, 5_000] as const;
const PROMOTION_LIMIT_MS = 30_000;
/** A signal sent before the waiter listens for it is lost; the proxy itself ignores it. */
const SIGNAL_AGAIN_MS = 500;

/** Lines among which a path's last word most likely is: it says that again ten times a second where many requests come. */
function linesLikely(known: Known | undefined): number {
  if (known === undefined) return TAILS[1];
  const { phase } = known;
  return TAILS[0] + Math.ceil((phase.phase === 'serving' ? (phase.measures?.requests ?? 0) : 0) / 2);
}

/** The phase after one more line. A proxy that serves still checks its servers, and one that drains never serves again. */
export function nextPhase(phase: PathPhase, { line, at }: Pick<LogLine, 'line' | 'at'>): PathPhase {
  const report = parsePathLine(line);
  if (report === undefined) return phase;
  if (report.phase === 'draining') return phase.phase === 'draining' ? { ...phase, ...report, ...cutsOf(phase, report) } : report;
  if (phase.phase === 'draining') return phase;
  if (report.phase === 'serving' && report.measures)
    return isSaidAgain(phase, report.measures) ? phase : { phase: 'serving', measures: { ...report.measures, at } };
  if (phase.phase === 'serving') return phase;
  if (phase.phase === 'holding' && report.phase !== 'serving') return phase;
  return report.phase === 'checking' ? { phase: 'checking', failing: report.failing } : { phase: report.phase };
}

function after(heard: Heard, line: LogLine): Heard {
  const phase = nextPhase(heard.phase, line);
  return {
    ...heard,
    phase,
    // The two streams are stamped each for itself, so a later line may have an earlier time.
    at: line.at > heard.at ? line.at : heard.at,
    isNews: heard.isNews || (isReport(line.line) && (phase.phase === 'holding' || phase.phase === 'serving')),
    ...(isReport(line.line) && { on: line.stream }),
  };
}

/** Of an earlier Changeless no line is. */
const isSaidAgain = (phase: PathPhase, { number }: PathMeasures): boolean =>
  number > 0 && phase.phase === 'serving' && phase.measures?.number === number;

/** Each frontend says for itself what it cuts. */
function cutsOf(before: { cut?: number }, { cut }: { cut?: number }): { cut?: number } {
  return cut === undefined ? {} : { cut: cut + (before.cut ?? 0) };
}

/** What data paths say about themselves in their logs; each log is read on from where it was last read. */
export class PathPhases {
  readonly #client: DockerClient;
  readonly #known = new Map<string, Known>();

  constructor(client: DockerClient) {
    this.#client = client;
  }

  /** The phase now. */
  async of(container: string): Promise<PathPhase> {
    const known = this.#known.get(container);
    const least = linesLikely(known);
    for (const tail of [least, ...TAILS.filter((each) => each > least)]) {
      const read = await this.#read(container, { known, tail });
      if (read.isSure) return read.phase;
    }
    const read = await this.#read(container, { known });
    return known || read.hasReported ? read.phase : (await this.#read(container, { isOlder: true })).phase;
  }

  /** Forgets the containers that are not among these. */
  keepOnly(containers: ReadonlySet<string>): void {
    for (const container of this.#known.keys()) if (!containers.has(container)) this.#known.delete(container);
  }

  async awaitHealthy(container: string, limitMs: number): Promise<Waited> {
    return this.#follow({ container, limitMs }, ({ phase }) => phase === 'healthy' || phase === 'serving');
  }

  async promote(container: string): Promise<void> {
    await this.#become(container, 'SIGUSR2', ({ phase }) => phase === 'serving' || phase === 'draining');
  }

  async hold(container: string): Promise<void> {
    await this.#become(container, 'SIGHUP', ({ phase }) => phase === 'holding' || phase === 'serving' || phase === 'draining');
  }

  async #become(container: string, name: 'SIGHUP' | 'SIGUSR2', isIt: (phase: PathPhase) => boolean): Promise<void> {
    // One that was just heard to be healthy needs no second question.
    const now = this.#known.get(container)?.phase ?? (await this.of(container));
    if (isIt(now)) return;
    if (now.phase === 'starting') await this.#follow({ container, limitMs: PROMOTION_LIMIT_MS }, ({ phase }) => phase !== 'starting');
    const signal = (): Promise<boolean> => signalContainer(this.#client, container, name);
    await signal();
    // A failure of these shows in what is awaited: the container's end.
    const again = setInterval(() => void signal().catch(() => undefined), SIGNAL_AGAIN_MS);
    const waited = await this.#follow({ container, limitMs: PROMOTION_LIMIT_MS }, isIt).finally(() => clearInterval(again));
    if (!waited.reached) throw new Refusal(await this.#notServing(container, waited));
  }

  async drain(container: string): Promise<void> {
    const told = await signalContainer(this.#client, container, 'SIGUSR1');
    // While it is not known on which stream it reports, both are read.
    const { at, isOlder } = this.#known.get(container) ?? { at: '', isOlder: true };
    if (told) this.#known.set(container, { phase: { phase: 'draining' }, at, isOlder });
  }

  async #read(container: string, { known, tail, isOlder = known?.isOlder ?? false }: Reading): Promise<Read> {
    let heard: Heard = { phase: known?.phase ?? { phase: 'starting' }, at: known?.at ?? '', isJoined: tail === undefined, isNews: false };
    const since = heard.at === '' ? {} : { since: heard.at };
    const last = tail === undefined ? {} : { tail };
    const lines = readLog(this.#client, container, { follow: false, ...last, ...since, ...(!isOlder && { only: 'stderr' }) });
    // The engine counts the moment it is asked from in, and a line must not be counted twice.
    for await (const line of lines) heard = known && line.at <= known.at ? { ...heard, isJoined: true } : after(heard, line);
    const { phase, at, isJoined, isNews, on } = heard;
    // What one that drains has cut adds up, so no line of it may be missing.
    const isSure = isJoined || (isNews && phase.phase !== 'draining');
    const isKnownOlder = on === undefined ? known?.isOlder : on === 'stdout';
    if (isSure && isKnownOlder !== undefined) this.#known.set(container, { phase, at, isOlder: isKnownOlder });
    return { phase, isSure, hasReported: on !== undefined };
  }

  async #follow({ container, limitMs }: Follow, isReached: (phase: PathPhase) => boolean): Promise<Waited> {
    let phase: PathPhase = { phase: 'starting' };
    const signal = AbortSignal.timeout(limitMs);
    for await (const line of readLog(this.#client, container, { follow: true, signal })) {
      phase = nextPhase(phase, line);
      if (!isReached(phase)) continue;
      this.#known.set(container, { phase, at: line.at, isOlder: line.stream === 'stdout' });
      return { phase, reached: true, ended: false };
    }
    return { phase, reached: false, ended: !signal.aborted };
  }

  async #notServing(container: string, { ended }: Waited): Promise<Refusal['problem']> {
    const lines: string[] = [];
    for await (const { line } of readLog(this.#client, container, { follow: false, tail: 20 })) lines.push(line);
    const why = ended ? 'it ended instead' : `it did not say so within ${PROMOTION_LIMIT_MS / 1000} s`;
    return { code: 'ENGINE_REFUSED', what: 'a data path was told to serve and does not', why, lines };
  }
}
