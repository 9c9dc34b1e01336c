import { startClients } from '../test/engine/keep-alive-load.ts';
import type { Span } from './traffic.ts';

/** What clients of many apps have seen. */
export type AppTraffic = { requests: number; failed: number; latencies: (span: Span) => Float64Array };

/** A client for each app on a connection it keeps, and pauses: some 300 requests a second over 123 apps. */
const PAUSE_MS = 800;

export function startAppTraffic({ port, hosts }: { port: number; hosts: readonly string[] }): { stop: () => Promise<AppTraffic> } {
  const [sentAt, endedAt]: [number[], number[]] = [[], []];
  let failed = 0;
  const loads = hosts.map((host) =>
    startClients(
      { address: '127.0.0.1', port, host },
      {
        clients: 1,
        pauseMs: PAUSE_MS,
        heard: (heard) => {
          sentAt.push(heard.sentAt);
          endedAt.push(heard.endedAt);
          if (heard.failure !== undefined) failed += 1;
        },
      },
    ),
  );
  const latencies = ([from, to]: Span): Float64Array =>
    Float64Array.from(sentAt.flatMap((sent, index) => (sent >= from && sent <= to ? [(endedAt[index] ?? sent) - sent] : []))).toSorted();
  return {
    stop: async () => {
      await Promise.all(loads.map((load) => load.stop()));
      return { requests: sentAt.length, failed, latencies };
    },
  };
}
