import type { Section } from './path-config.ts';

/** Where `measures.lua` finds how many answers took how long. */
const TABLE = 'latency';

/**
 * Lines of a frontend that count, by HAProxy itself, how long instances took from a request's last header to the answer's:
 * to the millisecond below 100 ms, then to 10 and from a second on to 100. What the proxy answers itself has no time.
 */
export const TIME_ANSWERS: readonly string[] = [
  'http-request set-var(txn.began) date(0,ms)',
  'http-response set-var(txn.took) date(0,ms),sub(txn.began)',
  'http-response set-var(txn.took) var(txn.took),div(10),mul(10) if { var(txn.took) -m int ge 100 }',
  'http-response set-var(txn.took) var(txn.took),div(100),mul(100) if { var(txn.took) -m int ge 1000 }',
  `http-response track-sc1 var(txn.took) table ${TABLE}`,
  'http-response sc-inc-gpc0(1)',
];

/**
 * Entries never expire: what was counted is only ever compared with what is counted later. Keys are text, because HAProxy 2.6
 * gives Lua only the lowest byte of a number.
 */
export const LATENCY_TABLE: Section = { header: `backend ${TABLE}`, lines: ['stick-table type string len 12 size 4k store gpc0'] };
