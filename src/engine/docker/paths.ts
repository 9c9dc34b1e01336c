import { parsePathLine } from '../../datapath/path-log.ts';
import type { LogLine, PathPhase } from '../engine.ts';
import type { DockerClient } from './client.ts';
import { signalContainer } from './containers.ts';
import { Refusal } from './failure.ts';
import { readLog } from './logs.ts';

type Known = { phase: PathPhase; at: string };
type Follow = { container: string; limitMs: number };
type Waited = { phase: PathPhase; reached: boolean; ended: boolean };

/**
 * So many last lines nearly always hold what a path said last; when not, its log is read whole, once. The engine finds last lines
 * from the end, and reads everything for lines since a moment.
 */
const TAIL_LINES = 200;
const NEWS_LINES = 20;
const PROMOTION_LIMIT_MS = 30_000;
/** A signal sent before the waiter listens for it is lost; the proxy itself ignores it. */
const SIGNAL_AGAIN_MS = 500;

/** The phase after one more line. A proxy that serves still checks its servers, and one that drains never serves again. */
export function nextPhase(phase: PathPhase, { line, at }: Pick<LogLine, 'line' | 'at'>): PathPhase {
  const report = parsePathLine(line);
  if (report === undefined) return phase;
  if (report.phase === 'draining') return phase.phase === 'draining' ? { ...phase, ...report, ...cutsOf(phase, report) } : report;
  if (phase.phase === 'draining') return phase;
  if (report.phase === 'serving' && report.measures) return { phase: 'serving', measures: { ...report.measures, at } };
  if (phase.phase === 'serving') return phase;
  if (phase.phase === 'holding' && report.phase !== 'serving') return phase;
  return report.phase === 'checking' ? { phase: 'checking', failing: report.failing } : { phase: report.phase };
}

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
    const tail = await this.#read(container, known, known ? NEWS_LINES : TAIL_LINES);
    return tail.isSure ? tail.phase : (await this.#read(container, known)).phase;
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
    if (told) this.#known.set(container, { phase: { phase: 'draining' }, at: this.#known.get(container)?.at ?? '' });
  }

  async #read(container: string, known: Known | undefined, tail?: number): Promise<Known & { isSure: boolean }> {
    let phase: PathPhase = known?.phase ?? { phase: 'starting' };
    let at = known?.at ?? '';
    let lines = 0;
    const options = { follow: false, ...(tail !== undefined && { tail }), ...(at !== '' && { since: at }) };
    for await (const line of readLog(this.#client, container, options)) {
      // The engine counts the moment it is asked from in, and a line must not be counted twice.
      if (known && line.at <= known.at) continue;
      phase = nextPhase(phase, line);
      // The two streams are stamped each for itself, so a later line may have an earlier time.
      if (line.at > at) at = line.at;
      lines += 1;
    }
    const isSure = tail === undefined || lines < tail || ['holding', 'serving', 'draining'].includes(phase.phase);
    if (isSure) this.#known.set(container, { phase, at });
    return { phase, at, isSure };
  }

  async #follow({ container, limitMs }: Follow, isReached: (phase: PathPhase) => boolean): Promise<Waited> {
    let phase: PathPhase = { phase: 'starting' };
    const signal = AbortSignal.timeout(limitMs);
    for await (const line of readLog(this.#client, container, { follow: true, signal })) {
      phase = nextPhase(phase, line);
      if (!isReached(phase)) continue;
      this.#known.set(container, { phase, at: line.at });
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
