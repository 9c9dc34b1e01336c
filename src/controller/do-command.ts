import type { CommitId, ReleaseId, RunId } from '../digest.ts';
import { isRunId } from '../job-run.ts';
import { acceptRun } from '../jobs/accept-run.ts';
import { nothingToCancel } from '../jobs/take-requests.ts';
import type { CommandRecord } from '../ledger/commands.ts';
import type { Problem } from '../problem.ts';
import type { Post } from './post.ts';
import { definitionsIn } from './runs-of-delivery.ts';
import { revokeToken } from './take-token-requests.ts';
import { startAnother } from './start-another.ts';

/** What a gateway has written down, read again. It writes only what the API's schemas let through. */
type Said =
  | { does: 'run-job'; run: RunId; job: string; commit: CommitId; parameters: Readonly<Record<string, string>> }
  | { does: 'cancel-run'; run: RunId }
  | { does: 'roll-back'; release?: ReleaseId }
  | { does: 'deploy'; release: ReleaseId }
  | { does: 'revoke-token'; token: string };

export type Command = { token: number; command: CommandRecord };

/** Does a command and records that it is over, once. `later`: it could not be tried now. */
export async function doCommand(post: Post, { token, command }: Command): Promise<'over' | 'later'> {
  const { ledger, journal } = post;
  const said = saidIn(command);
  const { does, by } = said ?? { does: 'unknown', by: '' };
  const outcome = said ? await carryOut(post, { token, command, said, by }) : unknownCommand;
  if (outcome === 'later') return 'later';
  // What came of it is on record before it counts as done.
  await journal.flush();
  if (await ledger.endCommand(command.number, outcome))
    journal.report({ type: 'command-ended', command: command.id, does, by, ...(outcome && { problem: outcome }) });
  return 'over';
}

/** Why nothing was done; undefined when it was. */
async function carryOut(
  post: Post,
  { token, command, said, by }: Command & { said: Said; by: string },
): Promise<Problem | undefined | 'later'> {
  const { ledger, journal } = post;
  switch (said.does) {
    case 'run-job': {
      const definitions = definitionsIn(post);
      if (!definitions) return unknownCommand;
      const { run, job, commit, parameters } = said;
      const accepted = await acceptRun(
        { runs: ledger.runs, definitions, report: journal.report },
        { id: run, job, commit, parameters, reason: 'by-hand', prepare: definitions },
      );
      return accepted.ok ? undefined : accepted.problem;
    }
    case 'cancel-run':
      return (await ledger.runs.cancel(said.run)) ? undefined : nothingToCancel(said.run);
    case 'roll-back':
    case 'deploy':
      return startAnother(post, { token, command, by, ...said });
    case 'revoke-token':
      return revokeToken(post, said.token);
  }
}

/** Undefined for words that this program does not know. */
function saidIn({ body }: CommandRecord): (Said & { by: string }) | undefined {
  const said: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
  if (typeof said !== 'object' || said === null) return undefined;
  const { does, run } = said as Readonly<Record<string, unknown>>;
  const isKnown = ['run-job', 'cancel-run', 'roll-back', 'deploy', 'revoke-token'].some((known) => known === does);
  const isRun = run === undefined || (typeof run === 'string' && isRunId(run));
  return isKnown && isRun ? (said as Said & { by: string }) : undefined;
}

const unknownCommand: Problem = {
  code: 'REQUEST_REFUSED',
  what: 'the controller in charge does not know what to do about the command',
  why: 'it is of another Changeless than the gateway that took it',
  safe: 'nothing was changed',
  next: 'changeless status, and again when the rollout has ended',
};
