import type { BuildFailure, BuildProgress } from '../image.ts';
import { meaningOfText } from './failure.ts';
import { decodeMessage, flagAt, hasField, messagesAt, textAt, type Message } from './protobuf.ts';

// Field numbers of buildkit's api/services/control/control.proto: StatusResponse, Vertex and VertexLog.
const statusResponse = { vertexes: 1, logs: 3 } as const;
const vertex = { digest: 1, name: 3, cached: 4, started: 5, completed: 6, error: 7 } as const;
const vertexLog = { vertex: 1, message: 4 } as const;

const KEPT_LINES = 40;
/** Steps that BuildKit takes for itself. */
const INTERNAL = /^\[internal\]|^\[auth\]|^copy \/context |^exporting |^docker-image:\/\//;

type Step = { name: string; state: BuildProgress['state'] | 'waiting'; error: string; lines: string[]; rest: string };

/** Follows one build by BuildKit's trace: what each step does, and at the end which one failed, with its last lines. */
export class BuildTrace {
  readonly #steps = new Map<string, Step>();
  readonly #onProgress: (progress: BuildProgress) => void;

  constructor(onProgress: (progress: BuildProgress) => void) {
    this.#onProgress = onProgress;
  }

  /** Takes one `moby.buildkit.trace`: a StatusResponse. */
  take(bytes: Buffer): void {
    const status = decodeMessage(bytes);
    for (const each of messagesAt(status, statusResponse.vertexes)) this.#takeVertex(each);
    for (const each of messagesAt(status, statusResponse.logs)) this.#takeLog(each);
  }

  /** What to say of a build that ended with `message`. */
  failure(message: string): BuildFailure {
    const failing = [...this.#steps.values()].find(({ error }) => error !== '' && !/canceled/.test(error));
    if (failing && failing.rest !== '') this.#say(failing, [failing.rest]);
    const lines = failing?.lines ?? [];
    const noSpace = [message, ...lines].some((line) => meaningOfText(line) === 'no-space');
    return { step: failing?.name ?? '', lines, message, noSpace };
  }

  #step(digest: string): Step {
    const known = this.#steps.get(digest);
    if (known) return known;
    const step: Step = { name: '', state: 'waiting', error: '', lines: [], rest: '' };
    this.#steps.set(digest, step);
    return step;
  }

  #takeVertex(message: Message): void {
    const step = this.#step(textAt(message, vertex.digest));
    step.name = textAt(message, vertex.name);
    step.error = textAt(message, vertex.error);
    const state = stateOf(message);
    if (state === step.state) return;
    step.state = state;
    if (state !== 'waiting' && !INTERNAL.test(step.name)) this.#onProgress({ step: step.name, state });
  }

  #takeLog(message: Message): void {
    const step = this.#step(textAt(message, vertexLog.vertex));
    const lines = (step.rest + textAt(message, vertexLog.message)).split(/\r?\n/);
    step.rest = lines.pop() ?? '';
    this.#say(step, lines);
  }

  #say(step: Step, lines: readonly string[]): void {
    step.lines.push(...lines);
    step.lines.splice(0, step.lines.length - KEPT_LINES);
    if (INTERNAL.test(step.name)) return;
    for (const line of lines) this.#onProgress({ step: step.name, state: 'started', line });
  }
}

function stateOf(message: Message): Step['state'] {
  if (textAt(message, vertex.error) !== '') return 'failed';
  if (hasField(message, vertex.completed)) return flagAt(message, vertex.cached) ? 'cached' : 'done';
  return hasField(message, vertex.started) ? 'started' : 'waiting';
}
