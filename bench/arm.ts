import { setTimeout as pause } from 'node:timers/promises';
import type { Target } from '../test/engine/keep-alive-load.ts';
import { compare, type Row, summarise } from './measure.ts';
import { asked, failuresOf, latencies, percentile, type Span, startTraffic, type Traffic } from './traffic.ts';

/** Something that can be replaced under load. `replace` resolves with the moments at which traffic changed over. */
export type Subject = { name: string; target: Target; replace: () => Promise<number[]> };

/** One replacement: the quiet time before it, from its beginning to its end, and its moments of switching. */
type Round = { quiet: Span; busy: Span; switches: number[] };

export type Arm = { name: string; rounds: Round[]; traffic: Traffic; broken: string[] };

/** How far around a switch one looks. */
const NEAR_MS = 1_000;
/** How long the end of a replacement still disturbs what comes after it. */
const SETTLE_MS = 500;
const MOST_BROKEN = 5;

/** Replaces again and again under one load that goes on all the while. A replacement that fails is kept as a sentence. */
export async function runArm(
  { name, target, replace }: Subject,
  { replacements, quietMs }: { replacements: number; quietMs: number },
): Promise<Arm> {
  const load = startTraffic(target);
  const rounds: Round[] = [];
  const broken: string[] = [];
  await pause(SETTLE_MS);
  for (let round = 0; round < replacements && broken.length < MOST_BROKEN; round += 1) {
    await pause(SETTLE_MS);
    const quietFrom = performance.now();
    await pause(quietMs);
    const from = performance.now();
    const switches = await replace().catch((cause: unknown) => void broken.push(String(cause)));
    if (switches) rounds.push({ quiet: [quietFrom, from], busy: [from, performance.now()], switches });
  }
  await pause(NEAR_MS);
  return { name, rounds, traffic: await load.stop(), broken };
}

/** How many requests failed, with the bound that their number gives. */
export function dropRow({ name, rounds, traffic, broken }: Arm, bench: string): Row {
  const failed = failuresOf(traffic);
  const { kept, fresh } = traffic;
  const perSecond = Math.round(asked(traffic) / ((traffic.endedAt - traffic.startedAt) / 1000));
  const said = [
    `${rounds.length} replacements, ${perSecond} requests/s`,
    `kept connections ${kept.failed.length} of ${kept.sentAt.length}, fresh ${fresh.failed.length} of ${fresh.sentAt.length}`,
    boundOf(failed.length, asked(traffic)),
    ...(failed[0] === undefined ? [] : [`the first: ${failed[0].failure}`]),
    ...broken.map((sentence) => `a replacement failed: ${sentence}`),
  ];
  return { bench, what: `failed requests: ${name}`, unit: 'count', measured: summarise([failed.length]), note: said.join('; ') };
}

/** After 0 of n, less than 3/n fail, with 95% certainty. */
export const boundOf = (failed: number, of: number): string =>
  failed === 0
    ? `with 95% certainty fewer than ${(3 / of).toExponential(1)} of all fail`
    : `${(failed / of).toExponential(1)} of all failed`;

/** The 99th percentile around the switches of each round against the quiet time before it, and the longest of all requests. */
export function latencyRows(arm: Arm, bench: string): Row[] {
  const { name, rounds, traffic } = arm;
  const all = roundsByTime(arm);
  const pairs = all.map(({ near, quiet }) => ({ measured: percentile(near, 0.99), floor: percentile(quiet, 0.99) }));
  const besides = summarise(all.map(({ besides: apart }) => percentile(apart, 0.99)).filter((value) => !Number.isNaN(value)));
  const medians = compare(
    { bench, what: '' },
    all.map(({ near, quiet }) => ({ measured: percentile(near, 0.5), floor: percentile(quiet, 0.5) })),
  );
  const longest = latencies(traffic, [[traffic.startedAt, traffic.endedAt]]).at(-1) ?? Number.NaN;
  const note = [
    `p50 ${medians.measured.median.toFixed(1)} ms around a switch, ${medians.floor?.median.toFixed(1)} ms in quiet`,
    `p99 of the rest of the rollout, further than a second from a switch: ${besides.count === 0 ? 'none' : `${besides.median.toFixed(1)} ms`}`,
  ];
  const longestRounds = summarise(rounds.map(({ busy: [from, to] }) => latencies(traffic, [[from, to + NEAR_MS]]).at(-1) ?? Number.NaN));
  return [
    compare({ bench, what: `p99 within 1 s of a switch: ${name}; floor: quiet`, note: note.join('; ') }, pairs, 1.2),
    {
      bench,
      what: `longest request of each replacement: ${name}`,
      unit: 'ms',
      measured: longestRounds,
      bar: { says: '< 1000 ms', hit: longest < 1000 },
    },
  ];
}

type RoundByTime = { near: Float64Array; quiet: Float64Array; besides: Float64Array };

function roundsByTime({ rounds, traffic }: Arm): RoundByTime[] {
  return rounds.map(({ quiet, busy, switches }) => {
    const [first, last] = [Math.min(...switches), Math.max(...switches)];
    return {
      near: latencies(traffic, [[first - NEAR_MS, last + NEAR_MS]]),
      quiet: latencies(traffic, [quiet]),
      besides: latencies(traffic, first - NEAR_MS > busy[0] ? [[busy[0], first - NEAR_MS]] : []),
    };
  });
}

/** The first failed requests, each with how long after the nearest switch it was sent and ended, to find out why. */
export function failedRequests({ rounds, traffic }: Arm): object[] {
  const switches = rounds.flatMap((round) => round.switches);
  const after = (moment: number): number => {
    const nearest = switches.toSorted((a, b) => Math.abs(a - moment) - Math.abs(b - moment))[0] ?? moment;
    return Math.round((moment - nearest) * 10) / 10;
  };
  const fresh = new Set(traffic.fresh.failed);
  return failuresOf(traffic)
    .slice(0, 20)
    .map((heard) => ({
      connection: fresh.has(heard) ? 'fresh' : 'kept',
      at: new Date(performance.timeOrigin + heard.sentAt).toISOString(),
      sentAfterSwitchMs: after(heard.sentAt),
      endedAfterSwitchMs: after(heard.endedAt),
      failure: heard.failure,
    }));
}
