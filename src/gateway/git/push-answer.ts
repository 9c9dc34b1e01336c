import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Timers } from '../../timers.ts';
import { flushPkt, keepAlive, onBand } from './pkt-line.ts';
import { plainText, reportStatus, type RefOutcome } from './report-status.ts';

/** How long nothing is said before a word that says nothing: proxies and clients end what is silent. */
const silentMs = 5000;

/** What a pusher's git is answered: lines for its terminal, the report, then the end. */
export class PushAnswer {
  readonly #response: ServerResponse;
  readonly #can: ReadonlySet<string>;
  readonly #timers: Timers;
  #callOff = (): void => {};

  constructor(response: ServerResponse, { can, timers }: { can: ReadonlySet<string>; timers: Timers }) {
    this.#response = response;
    this.#can = can;
    this.#timers = timers;
  }

  /** Whether whoever pushes can be shown anything. */
  get showsLines(): boolean {
    return this.#can.has('side-band-64k');
  }

  /** Not before the whole push was read: there are proxies and clients that take an answer for its end. */
  begin(): void {
    if (this.#response.headersSent) return;
    this.#response.writeHead(200, { 'content-type': 'application/x-git-receive-pack-result', 'cache-control': 'no-cache' });
    this.#keepAlive();
  }

  async say(lines: readonly string[]): Promise<void> {
    if (!this.showsLines || lines.length === 0) return;
    await this.#write(onBand(2, Buffer.from(lines.map((line) => `${plainText(line)}\n`).join(''))));
  }

  async report(outcomes: readonly RefOutcome[], unpacked?: string): Promise<void> {
    if (!this.#can.has('report-status')) return;
    const report = reportStatus(outcomes, unpacked);
    await this.#write(this.#can.has('side-band-64k') ? onBand(1, report) : report);
  }

  end(): void {
    this.#callOff();
    this.#response.end(this.#can.has('side-band-64k') ? flushPkt : undefined);
  }

  /** What the pusher does not take yet is waited for, not kept. */
  async #write(bytes: Buffer): Promise<void> {
    const response = this.#response;
    this.begin();
    if (response.destroyed || response.write(bytes)) return;
    const gone = new AbortController();
    const { signal } = gone;
    await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]).catch(() => {});
    gone.abort();
  }

  #keepAlive(): void {
    if (!this.#can.has('side-band-64k')) return;
    this.#callOff = this.#timers.after(silentMs, () => {
      if (this.#response.destroyed) return;
      if (!this.#response.writableNeedDrain) this.#response.write(keepAlive);
      this.#keepAlive();
    });
  }
}
