import type { Letter, Outlet, Sent } from '../notify/outlet.ts';
import { statusOf, statusTypes, type CommitStatus, type Links } from './commit-status.ts';
import type { Answered, Forge } from './forge.ts';

/** The place of statuses in the record; no channel is called so. */
const outletName = 'forge:statuses';

/** GitHub asks for a second between writes, and others do not mind. */
const paceMs = 1000;

/** Statuses as messages. Of several of one commit and context that wait the last alone is told: it is the one that counts. */
export const statusOutlet = (forge: Forge, environment: string, links: Links): Outlet => ({
  name: outletName,
  types: statusTypes,
  paceMs,
  letters(entries) {
    const statuses = entries.flatMap(({ number, event }) => {
      const status = statusOf(event, environment, links);
      return status ? [{ number, status }] : [];
    });
    const last = new Map(statuses.map((each) => [keyOf(each.status), each.number]));
    return statuses
      .filter(({ number, status }) => last.get(keyOf(status)) === number)
      .map(({ number, status }): Letter => ({ number, send: async ({ signal }) => sentOf(await forge.setStatus(status, signal)) }));
  },
});

const keyOf = ({ commit, context }: CommitStatus): string => `${commit} ${context}`;

const sentOf = (answered: Answered<void>): Sent => (answered.state === 'done' ? { state: 'taken' } : answered);
