import { canonicalJson } from '../canonical-json.ts';
import type { Problem } from '../problem.ts';
import type { Database, Reading } from './database.ts';
import { apiSource } from './delivery.ts';

/** The kind of a command among deliveries. */
export const commandKind = 'command';

/**
 * What was asked of the API, as the ledger has it: a delivery of the gateway's own, `id` given by who asked. `body`: what is to be
 * done. It is over, once, when it has an `endedAt`; with a `problem` nothing was done.
 */
export type CommandRecord = { number: number; id: string; receivedAt: string; body: Uint8Array; endedAt?: string; problem?: Problem };

type CommandRow = {
  number: number;
  delivery: string;
  received_at: string;
  body: Uint8Array;
  ended_at: string | null;
  problem: string | null;
};

const select = `SELECT number, deliveries.delivery, received_at, body, ended_at, problem FROM deliveries
  LEFT JOIN command_ends ON command_ends.delivery = deliveries.number WHERE source = '${apiSource}' AND kind = '${commandKind}'`;

/** Those after `after` that are not over, oldest first. */
export const openCommands = (database: Reading, after: number): CommandRecord[] =>
  database.all<CommandRow>(`${select} AND number > ? AND ended_at IS NULL ORDER BY number`, after).map(recordOf);

export function findCommand(database: Reading, id: string): CommandRecord | undefined {
  const row = database.one<CommandRow>(`${select} AND deliveries.delivery = ?`, id);
  return row && recordOf(row);
}

/** False when it was over: how it ended stays. */
export const endCommand = (database: Database, { number, problem, now }: { number: number; problem?: Problem; now: string }): boolean =>
  database.run(
    'INSERT INTO command_ends (delivery, ended_at, problem) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    number,
    now,
    problem === undefined ? null : canonicalJson(problem),
  ) === 1;

const recordOf = ({ number, delivery, received_at, body, ended_at, problem }: CommandRow): CommandRecord => ({
  number,
  id: delivery,
  receivedAt: received_at,
  body,
  ...(ended_at !== null && { endedAt: ended_at }),
  ...(problem !== null && { problem: JSON.parse(problem) as Problem }),
});
