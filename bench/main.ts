import { writeFileSync } from 'node:fs';
import { apps } from './apps.ts';
import { bake } from './bake.ts';
import { compose } from './compose.ts';
import { deliveries } from './deliveries.ts';
import { drops } from './drops.ts';
import { entropy } from './entropy.ts';
import { hops } from './hops.ts';
import { kills } from './kills.ts';
import { load } from './load.ts';
import type { Row } from './measure.ts';
import { patch } from './patch.ts';
import { perApp } from './per-app.ts';
import { plan } from './plan.ts';
import { push } from './push.ts';
import { replace } from './replace.ts';
import { scale } from './scale.ts';
import { stores } from './stores.ts';
import { table } from './table.ts';
import { type Ground, makeGround } from './world.ts';

type Found = { rows: Row[]; timelines?: object };

/** Each bench by the names it answers to. */
const benches: { names: string[]; run: (ground: Ground) => Promise<Found> }[] = [
  { names: ['plan'], run: plan },
  { names: ['scale'], run: scale },
  { names: ['compose'], run: compose },
  { names: ['load'], run: load },
  { names: ['replace', 'rollback'], run: replace },
  { names: ['bake'], run: bake },
  { names: ['per-app'], run: perApp },
  { names: ['drops'], run: drops },
  { names: ['kills'], run: kills },
  { names: ['stores'], run: stores },
  { names: ['apps'], run: apps },
  { names: ['hops'], run: hops },
  { names: ['patch'], run: patch },
  { names: ['entropy'], run: entropy },
  { names: ['deliveries'], run: deliveries },
  { names: ['push'], run: push },
];

const asked = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const jsonFile = process.argv.find((word) => word.startsWith('--json='))?.slice('--json='.length);
const chosen = asked.length === 0 ? benches : benches.filter(({ names }) => names.some((name) => asked.includes(name)));
if (chosen.length === 0) throw new Error(`no bench is called ${asked.join(', ')}: ${benches.flatMap(({ names }) => names).join(', ')}`);

const ground = makeGround();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void ground.cleanUp().finally(() => process.exit(130)));
const found: Record<string, Found> = {};
try {
  for (const { names, run } of chosen) {
    const name = names.join(' and ');
    console.error(`  bench ${name} …`);
    const began = performance.now();
    found[name] = await run(ground);
    console.error(`  bench ${name}: done in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
} finally {
  await ground.cleanUp();
}
console.log(table(Object.values(found).flatMap(({ rows }) => rows)));
const json = JSON.stringify(found, null, 2);
if (jsonFile !== undefined) writeFileSync(jsonFile, `${json}\n`);
else console.log(`\n${json}`);
process.exit(0);
