import { setTimeout as pause } from 'node:timers/promises';
import { startAppTraffic } from './app-traffic.ts';
import { percentile } from './traffic.ts';
import { holdWebSocket } from './web-sockets.ts';

/** Apps that a change does not concern, all behind one port. */
export type Rest = { port: number; hosts: readonly string[] };

/** What they saw of it: requests, WebSockets, and p99 in the time before and while it went on. */
export type Disturbed = { requests: number; failed: number; cut: number; quietMs: number; busyMs: number };

const SETTLE_MS = 3_000;
const QUIET_MS = 8_000;
/** Long enough for a percentile, also where the change itself is an instant. */
const LEAST_BUSY_MS = 3_000;

/** Changes something under load on all of them, with a WebSocket open on each. */
export async function disturb({ port, hosts }: Rest, change: () => Promise<unknown>): Promise<Disturbed> {
  const sockets = await Promise.all(hosts.map((host) => holdWebSocket({ port, host })));
  const load = startAppTraffic({ port, hosts });
  await pause(SETTLE_MS);
  const quietFrom = performance.now();
  await pause(QUIET_MS);
  const from = performance.now();
  await change();
  await pause(Math.max(1_000, LEAST_BUSY_MS - (performance.now() - from)));
  const to = performance.now();
  const { requests, failed, latencies } = await load.stop();
  const cut = sockets.filter((socket) => socket.cut).length;
  for (const socket of sockets) socket.letGo();
  const p99 = (since: number, until: number): number => percentile(latencies([since, until]), 0.99);
  return { requests, failed, cut, quietMs: p99(quietFrom, from), busyMs: p99(from, to) };
}
