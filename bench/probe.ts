import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** One request of a probe. `said`: what the pattern found in the answer; undefined when the request failed. */
export type Asked = { sentAt: number; answeredAt: number; said: string | undefined };

/** Where the probe asks, and the pattern whose first group tells old from new. */
export type Probed = { port: number; host: string; pattern: RegExp };

const CLIENTS = 2;
const PAUSE_MS = 4;

/** Asks again and again, each time on a fresh connection, until it is stopped. Times are those of `performance.now()`. */
export function startProbe(probed: Probed): { stop: () => Promise<Asked[]> } {
  const asked: Asked[] = [];
  let stopped = false;
  const running = Array.from({ length: CLIENTS }, async () => {
    while (!stopped) {
      asked.push(await askOnce(probed));
      await pause(PAUSE_MS);
    }
  });
  return {
    stop: async () => {
      stopped = true;
      await Promise.all(running);
      return asked.toSorted((a, b) => a.sentAt - b.sentAt);
    },
  };
}

/** One request on a connection of its own; never throws. */
export function askOnce({ port, host, pattern }: Probed): Promise<Asked> {
  const sentAt = performance.now();
  return new Promise((resolve) => {
    let text = '';
    const end = (): void =>
      resolve({ sentAt, answeredAt: performance.now(), said: text.startsWith('HTTP/1.1 200') ? pattern.exec(text)?.[1] : undefined });
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.on('error', () => undefined);
    socket.on('close', end);
    socket.setTimeout(10_000, () => socket.destroy());
    socket.write(`GET / HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
  });
}

/** From when on every request was answered by what answered last; undefined when it was one answer all along. */
export function switchedAt(asked: readonly Asked[]): number | undefined {
  const last = asked.findLast(({ said }) => said !== undefined)?.said;
  const lastOther = asked.findLastIndex(({ said }) => said !== last);
  const first = asked[lastOther + 1];
  return lastOther === -1 || first === undefined || !asked.some(({ said }) => said !== undefined && said !== last)
    ? undefined
    : first.sentAt;
}
