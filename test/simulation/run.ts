// node test/simulation/run.ts [--seeds 1000] [--from 0] [--trace]: runs so many seeds, prints each that fails and how fast it
// went; with --trace also all that happened.
import { parseArgs } from 'node:util';
import { simulate } from './simulate.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '0' },
    trace: { type: 'boolean', default: false },
  },
});
const from = Number(values.from);
const seeds = Number(values.seeds);
const began = performance.now();
const failures: number[] = [];
for (let seed = from; seed < from + seeds; seed += 1) {
  const { findings, operations, trace } = await simulate(seed, { trace: values.trace });
  if (values.trace) console.log(trace.join('\n'));
  if (findings.length > 0) {
    failures.push(seed);
    console.log(`seed ${seed} (${operations.join(', ')})\n  ${findings.join('\n  ')}`);
  }
  if ((seed - from + 1) % 500 === 0)
    console.error(`${seed - from + 1} seeds, ${rate(seed - from + 1)} a second, ${failures.length} failed`);
}
console.log(
  `${seeds} seeds from ${from}, ${rate(seeds)} a second, ${failures.length} failed${failures.length > 0 ? `: ${failures.slice(0, 50).join(' ')}` : ''}`,
);
process.exitCode = failures.length > 0 ? 1 : 0;

function rate(count: number): string {
  return (count / ((performance.now() - began) / 1000)).toFixed(1);
}
