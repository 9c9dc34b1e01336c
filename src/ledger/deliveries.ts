import type { ChangelessEvent, RecordedEvent } from '../events.ts';
import type { AcceptedRun } from '../job-run.ts';
import type { Database } from './database.ts';
import { acceptRun } from './accept-run.ts';
import { oversight, type Delivery, type InboxBatch, type NewDelivery, type RunsOfDelivery, type TakenDelivery } from './delivery.ts';
import { appendEntry } from './entries.ts';
import { isOvertaken, wasFound } from './found-pushes.ts';
import { rolloutInCharge } from './rollouts.ts';

type DeliveryRow = {
  number: number;
  source: string;
  delivery: string;
  kind: string;
  repository: string | null;
  branch: string | null;
  before: string | null;
  after: string | null;
  received_at: string;
  taken_at: string;
};

const columns = 'number, source, delivery, kind, repository, branch, "before", "after", received_at, taken_at';

type Taking = { token: number; now: string; runsOf: RunsOfDelivery };

/** To be called in a transaction: what is taken, what it starts and how far the file was taken are true together, or none is. */
export function takeDeliveries(database: Database, batch: InboxBatch, { token, now, runsOf }: Taking): NewDelivery[] | undefined {
  const inCharge = rolloutInCharge(database);
  if (inCharge?.token !== token) return undefined;
  const known = database.one<{ taken: number }>('SELECT taken FROM inbox_files WHERE file = ?', batch.file);
  if (known && known.taken !== batch.from) return undefined;
  const fresh = batch.deliveries.flatMap((delivery) => {
    const number = insert(database, delivery, now);
    if (number === undefined) return [];
    const { body: _, once: __, follows: ___, ...said } = delivery;
    appendEntry(database, { type: 'delivery-taken', ...eventOf(said), number, at: now }, inCharge.release);
    const found = foundEvent(said);
    if (found) appendEntry(database, { ...found, at: now }, inCharge.release);
    const runs = runsOf({ ...said, body: delivery.body, number }).filter((run) => acceptRun(database, run, now));
    for (const run of runs) appendEntry(database, acceptedEvent(run, now), inCharge.release);
    return [{ ...said, number, takenAt: now, runs }];
  });
  database.run('INSERT INTO inbox_files (file, taken) VALUES (?1, ?2) ON CONFLICT (file) DO UPDATE SET taken = ?2', batch.file, batch.to);
  return fresh;
}

export const acceptedEvent = ({ id, job, commit, reason, push }: AcceptedRun, at: string): RecordedEvent => ({
  type: 'job-accepted',
  run: id,
  job,
  commit,
  reason,
  ...(push && { push }),
  at,
});

/** What its event says of a delivery; the rest is in the delivery. */
export const eventOf = ({ source, id, kind, branch, after }: Omit<TakenDelivery, 'number' | 'takenAt'>) => ({
  source,
  id,
  kind,
  ...(branch !== undefined && { branch }),
  ...(after !== undefined && { after }),
});

/** What is told of a push whose webhook never came. */
export const foundEvent = ({ source, repository, branch, after }: Omit<TakenDelivery, 'number' | 'takenAt'>): ChangelessEvent | undefined =>
  source === oversight && repository !== undefined && branch !== undefined && after !== undefined
    ? { type: 'delivery-found', repository, branch, after }
    : undefined;

/** Its number; undefined for one that was taken before, or that came too late. */
function insert(database: Database, delivery: Delivery, now: string): number | undefined {
  if (isOvertaken(database, delivery) || wasFound(database, delivery)) return undefined;
  const { source, id, kind, repository = null, branch = null, before = null, after = null, receivedAt, once = null, body } = delivery;
  const row = database.one<{ number: number }>(
    `INSERT INTO deliveries (source, delivery, kind, repository, branch, "before", "after", received_at, taken_at, once, body)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING number`,
    source,
    id,
    kind,
    repository,
    branch,
    before,
    after,
    receivedAt,
    now,
    once,
    body,
  );
  return row?.number;
}

export const inboxTaken = (database: Pick<Database, 'all'>): ReadonlyMap<string, number> =>
  new Map(database.all<{ file: string; taken: number }>('SELECT file, taken FROM inbox_files').map(({ file, taken }) => [file, taken]));

export function readDeliveries(database: Database, { limit, after }: { limit: number; after?: number }): TakenDelivery[] {
  const rows =
    after === undefined
      ? database.all<DeliveryRow>(`SELECT ${columns} FROM deliveries ORDER BY number DESC LIMIT ?`, limit)
      : database.all<DeliveryRow>(`SELECT ${columns} FROM deliveries WHERE number > ? ORDER BY number LIMIT ?`, after, limit);
  return rows.map(taken);
}

export const readBody = (database: Database, number: number): Uint8Array | undefined =>
  database.one<{ body: Uint8Array }>('SELECT body FROM deliveries WHERE number = ?', number)?.body;

const taken = ({
  number,
  source,
  delivery,
  kind,
  repository,
  branch,
  before,
  after,
  received_at,
  taken_at,
}: DeliveryRow): TakenDelivery => ({
  number,
  source,
  id: delivery,
  kind,
  ...(repository !== null && { repository }),
  ...(branch !== null && { branch }),
  ...(before !== null && { before }),
  ...(after !== null && { after }),
  receivedAt: received_at,
  takenAt: taken_at,
});
