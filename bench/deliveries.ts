import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { sendDeliveries, type Sent } from './delivery-senders.ts';
import { roundsOr, type Row, summarise } from './measure.ts';

const ROUNDS = roundsOr(5);
const LEAST_PER_SECOND = 3000;
const MOST_MS = 50;
const ARMS = ['groups', 'single', 'unsynced'] as const;
const key = 'a key';

type Arm = (typeof ARMS)[number];

/** (k) How many deliveries a gateway acknowledges durably, beside one that syncs each alone and one that syncs none. */
export async function deliveries(): Promise<{ rows: Row[] }> {
  const sent: Record<Arm, Sent[]> = { groups: [], single: [], unsynced: [] };
  for (let round = 0; round < ROUNDS; round += 1)
    for (const arm of round % 2 === 0 ? ARMS : ARMS.toReversed()) sent[arm].push(await measure(arm));
  const perSecond = (arm: Arm) => sent[arm].map((each) => each.perSecond);
  const against = (arm: Arm) => ({
    floor: summarise(perSecond(arm)),
    ratio: summarise(perSecond('groups').map((each, round) => each / (perSecond(arm)[round] ?? Number.NaN))),
  });
  const measured = summarise(perSecond('groups'));
  const p99 = summarise(sent.groups.map(({ p99Ms }) => p99Ms));
  const row = { bench: 'deliveries', unit: 'count', measured } as const;
  const bar = { says: `≥ ${LEAST_PER_SECOND}/s`, hit: measured.median >= LEAST_PER_SECOND };
  const note = `load average ${loadavg()
    .map((each) => each.toFixed(1))
    .join(', ')} at the end`;
  return {
    rows: [
      { ...row, what: 'of 8 kB acknowledged durably a second; floor: each synced alone', ...against('single'), bar, note },
      { ...row, what: 'the same; floor: none synced', ...against('unsynced') },
      {
        bench: 'deliveries',
        what: 'p99 of an acknowledgement, 64 senders; floor: none synced',
        unit: 'ms',
        measured: p99,
        floor: summarise(sent.unsynced.map(({ p99Ms }) => p99Ms)),
        bar: { says: `≤ ${MOST_MS} ms`, hit: p99.median <= MOST_MS },
      },
    ],
  };
}

async function measure(arm: Arm): Promise<Sent> {
  const folder = mkdtempSync(path.join(tmpdir(), 'changeless-bench-inbox-'));
  const server = spawn(process.execPath, [fileURLToPath(new URL('delivery-server.ts', import.meta.url)), folder, arm, key], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    return await sendDeliveries(await portOf(server), key);
  } finally {
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

async function portOf({ stdout }: ChildProcess): Promise<number> {
  if (!stdout) throw new Error('a server without output');
  const [said] = (await once(stdout, 'data')) as [Buffer];
  return Number(said.toString());
}
