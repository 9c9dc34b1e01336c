// node test/jobs/run-history.ts [--seeds 20] [--from 0] [--deliveries 50]: runs so many histories, prints each that fails, and what all came to.
import { parseArgs } from 'node:util';
import { runHistory } from './history.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    from: { type: 'string', default: '0' },
    deliveries: { type: 'string', default: '50' },
  },
});
const from = Number(values.from);
const sums = { acknowledged: 0, runs: 0, kills: 0, pauses: 0 };
let failed = 0;
for (let seed = from; seed < from + Number(values.seeds); seed += 1) {
  const { findings, ...counts } = await runHistory(seed, Number(values.deliveries));
  for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += counts[name];
  if (findings.length === 0) continue;
  failed += 1;
  console.log(`seed ${seed}\n  ${findings.join('\n  ')}`);
}
console.log(
  `${values.seeds} histories from ${from}: ${sums.acknowledged} deliveries acknowledged, ${sums.runs} runs, ${sums.kills} controllers killed, ${sums.pauses} stopped for a while; ${failed} failed`,
);
process.exitCode = failed > 0 ? 1 : 0;
