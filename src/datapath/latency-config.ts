import type { Section } from './path-config.ts';

/** Where `counts.lua` finds how many answers took how long, by route and status class. */
const TABLE = 'latency';

/** Where it finds, by route, what the proxy answered itself. */
const OWN = 'own';

/**
 * Lines of a frontend that count, by HAProxy itself, how long instances took from a request's last header to the answer's:
 * to the millisecond below 100 ms, then to 10 and from a second on to 100. What the proxy answers itself has no time.
 */
export const TIME_ANSWERS: readonly string[] = [
  'http-request set-var(txn.began) date(0,ms)',
  'http-response set-var(txn.took) date(0,ms),sub(txn.began)',
  'http-response set-var(txn.took) var(txn.took),div(10),mul(10) if { var(txn.took) -m int ge 100 }',
  'http-response set-var(txn.took) var(txn.took),div(100),mul(100) if { var(txn.took) -m int ge 1000 }',
  'http-response set-var(txn.class) status,div(100)',
  'http-response set-var(txn.answer) var(txn.took),concat(:,txn.class),concat(:,txn.route)',
  `http-response track-sc1 var(txn.answer) table ${TABLE}`,
  'http-response sc-inc-gpc0(1)',
];

/** Lines, once a request's route is known, that count by it the errors the proxy answers itself. */
export const COUNT_OWN: readonly string[] = [
  `http-request track-sc0 var(txn.route,-1) table ${OWN}`,
  'http-after-response set-var(txn.own) sc0_inc_gpc0 if !{ var(txn.took) -m found } { status 400:499 }',
  'http-after-response set-var(txn.own) sc0_inc_gpc1 if !{ var(txn.took) -m found } { status ge 500 }',
];

/**
 * Entries never expire: what was counted is only ever compared with what is counted later. Keys are text, because HAProxy 2.6
 * gives Lua only the lowest byte of a number, and more than one counter of an entry only if each has a name of its own.
 */
export const LATENCY_TABLE: Section = { header: `backend ${TABLE}`, lines: ['stick-table type string len 24 size 16k store gpc0'] };

export const OWN_TABLE: Section = { header: `backend ${OWN}`, lines: ['stick-table type string len 12 size 1k store gpc0,gpc1'] };
