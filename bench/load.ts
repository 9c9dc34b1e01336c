import { startLoad, type Load } from '../test/engine/keep-alive-load.ts';
import { type Row, summarise, roundsOr } from './measure.ts';
import { type Ground, makeWorld } from './world.ts';

const PORT = 18086;
const REPLACEMENTS = roundsOr(5);
const CLIENTS = 24;

/** (e) Requests on keep-alive connections that fail while `up` replaces the app beneath them, again and again. */
export async function load(ground: Ground): Promise<{ rows: Row[] }> {
  const world = await makeWorld(ground, { label: 'load', port: PORT });
  await world.changeless('up');
  const running = startLoad({ address: '127.0.0.1', port: PORT, host: 'catalog.localhost' }, CLIENTS);
  for (let round = 1; round <= REPLACEMENTS; round += 1) {
    world.edit('catalog/api/server.mjs', /^.*\n/, `// Revision ${round}\n`);
    await world.commit();
    await world.changeless('up');
  }
  await running.stop();
  return {
    rows: [failedRow({ bench: 'load', what: `failed requests over ${REPLACEMENTS} replacements, ${CLIENTS} keep-alive clients` }, running)],
  };
}

/** How many failed, with what that says: after 0 of n, less than 3/n fail, with 95% certainty. */
export function failedRow(row: Pick<Row, 'bench' | 'what'>, { tally }: Load): Row {
  const { answered, failed } = tally;
  const bound =
    failed.length === 0
      ? `0 of ${answered}: with 95% certainty fewer than ${(3 / answered).toExponential(1)} of all fail`
      : `${failed.length} of ${answered + failed.length}, the first: ${failed[0]}`;
  return { ...row, unit: 'count', measured: summarise([failed.length]), bar: { says: '0', hit: failed.length === 0 }, note: bound };
}
