import { createHash } from 'node:crypto';
import type { Told } from '../../api/schemas.ts';
import { canonicalJson } from '../../canonical-json.ts';
import type { RunId } from '../../digest.ts';
import { commandKind, findCommand, type CommandRecord } from '../../ledger/commands.ts';
import { apiSource } from '../../ledger/delivery.ts';
import { findRun } from '../../ledger/sqlite-job-runs.ts';
import type { TokenRecord } from '../../ledger/tokens.ts';
import { done, failed, type Result } from '../../result.ts';
import type { Answering, Handlers } from './handlers.ts';
import { unknownRun, unreadable } from './tell.ts';
import { toldCommand } from './views.ts';

/** All that asks for something to be done. It is on disk when it is answered; the controller in charge does it. */
export const give: Pick<Handlers, 'startRun' | 'cancelRun' | 'rollBack' | 'deploy' | 'revokeToken'> = {
  startRun: (answering, { parameters: { job }, body, token, key }) => {
    const id = idOf(answering, { token, key });
    // It follows from the command's, so that a command that is sent again names the same.
    const run = `${job
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]/g, '-')
      .slice(0, 40)}-${id.slice(2, 14)}`;
    return giveCommand(answering, { id, token, said: { does: 'run-job', run, job, ...body } });
  },
  cancelRun: async (answering, { parameters: { run }, token, key }) => {
    const known = answering.read((database) => ({ run: findRun(database, run as RunId) }));
    if (!known) return failed(unreadable);
    if (!known.run) return failed(unknownRun(run));
    return giveCommand(answering, { id: idOf(answering, { token, key }), token, said: { does: 'cancel-run', run } });
  },
  rollBack: (answering, { body: { release }, token, key }) =>
    giveCommand(answering, {
      id: idOf(answering, { token, key }),
      token,
      said: { does: 'roll-back', ...(release !== undefined && { release }) },
    }),
  deploy: (answering, { parameters: { release }, token, key }) =>
    giveCommand(answering, { id: idOf(answering, { token, key }), token, said: { does: 'deploy', release } }),
  revokeToken: (answering, { parameters, token, key }) =>
    giveCommand(answering, { id: idOf(answering, { token, key }), token, said: { does: 'revoke-token', token: parameters.token } }),
};

type Said = { does: Told['command']['does']; run?: string; job?: string; commit?: string; release?: string; token?: string } & {
  parameters?: Readonly<Record<string, string>>;
};

/** With a key the same each time it is sent with the same token; else one that nobody has. */
function idOf({ random }: Answering, { token, key }: { token: TokenRecord; key: string | undefined }): string {
  if (key === undefined) return `c-${random(24)}`;
  return `c-${createHash('sha256').update(`${token.digest}\n${key}`).digest('hex').slice(0, 24)}`;
}

type Given = { id: string; token: TokenRecord; said: Said };

async function giveCommand(answering: Answering, { id, token, said }: Given): Promise<Result<Told['command']>> {
  const { read, recent, append, clock } = answering;
  const body = Buffer.from(canonicalJson({ ...said, by: token.name }));
  const before = read((database) => findCommand(database, id)) ?? recent.find(id);
  if (before && !body.equals(before.body)) return failed(reused);
  const record: CommandRecord = before ?? { number: 0, id, receivedAt: clock().toISOString(), body };
  if (!before) {
    const written = await append({ source: apiSource, id, kind: commandKind, receivedAt: record.receivedAt, body });
    if (!written.ok) return written;
    recent.note(record);
  }
  const told = toldCommand(record);
  if (!told) throw new Error('a command that cannot be told');
  return done(told);
}

const reused = {
  code: 'IDEMPOTENCY_KEY_REUSED' as const,
  what: 'the idempotency key was used for another request',
  safe: 'that one is as it was; nothing was begun',
  next: 'use a key for one request alone',
};

/** Commands that were taken and may not be in the ledger yet. So many at most: by then the oldest are. */
export class RecentCommands {
  readonly #records = new Map<string, CommandRecord>();
  readonly #most = 1000;

  note(record: CommandRecord): void {
    this.#records.set(record.id, record);
    const [oldest] = this.#records.keys();
    if (this.#records.size > this.#most && oldest !== undefined) this.#records.delete(oldest);
  }

  find(id: string): CommandRecord | undefined {
    return this.#records.get(id);
  }
}
