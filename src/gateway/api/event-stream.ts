import type { ServerResponse } from 'node:http';
import type { Timers } from '../../timers.ts';
import type { Ticker } from './ticker.ts';

/** One server-sent event. */
export type Frame = { id?: string; event: string; data: unknown };

/** What a look found: in order, and whether nothing more will come. */
export type Found = { frames: readonly Frame[]; isEnd?: boolean };

export type Streaming = {
  /** What is new since the look before, not much at a time. */
  look: () => Promise<Found>;
  ticker: Ticker;
  timers: Timers;
  signal: AbortSignal;
};

/** Who takes nothing for so long is cut. */
const patienceMs = 30_000;

/** So many looks without anything new are followed by a comment, so that nobody on the way takes the connection for dead. */
const quietLooks = 60;

/**
 * Sends what looks find until they find the end, the other side goes away or takes nothing, or the signal is aborted. Nothing is looked
 * for before the other side has taken what was found before: who never reads costs no more memory than one look.
 */
export async function streamEvents(response: ServerResponse, { look, ticker, timers, signal }: Streaming): Promise<void> {
  const isOver = (): boolean => signal.aborted || response.destroyed;
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  await send(response, 'retry: 1000\n\n', timers);
  for (let quiet = 0; !isOver();) {
    const { frames, isEnd = false } = await look();
    if (frames.length > 0) await send(response, frames.map(frameText).join(''), timers);
    else if (!isEnd && quiet === quietLooks) await send(response, ': nothing new\n\n', timers);
    if (isEnd) break;
    if (frames.length === 0) await ticker.next();
    quiet = frames.length > 0 || quiet === quietLooks ? 0 : quiet + 1;
  }
  response.end();
}

const frameText = ({ id, event, data }: Frame): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** Resolves when the other side may be sent more; one that takes too long is cut. */
async function send(response: ServerResponse, text: string, timers: Timers): Promise<void> {
  if (response.destroyed || response.write(text)) return;
  await new Promise<void>((resolve) => {
    const callOff = timers.after(patienceMs, () => response.destroy());
    const end = (): void => {
      callOff();
      response.off('drain', end).off('close', end);
      resolve();
    };
    response.on('drain', end).on('close', end);
  });
}

/** How many streams there are, by who has them. */
export class StreamPlaces {
  readonly #most = { each: 16, all: 256 };
  readonly #open = new Map<string, number>();

  /** Undefined where there are too many; else to be called when it has ended. */
  take(who: string): (() => void) | undefined {
    const own = this.#open.get(who) ?? 0;
    const all = [...this.#open.values()].reduce((sum, count) => sum + count, 0);
    if (own >= this.#most.each || all >= this.#most.all) return undefined;
    this.#open.set(who, own + 1);
    return () => {
      const left = (this.#open.get(who) ?? 1) - 1;
      if (left === 0) this.#open.delete(who);
      else this.#open.set(who, left);
    };
  }
}
