import { status as statusSchema, type Told } from '../../api/schemas.ts';
import { short } from '../../digest.ts';
import { mapValues } from '../../map-values.ts';
import { done } from '../../result.ts';
import { addressLines } from '../addresses.ts';
import { answer, answerJson, type CommandResult } from '../command.ts';
import { commitWords } from '../report/words.ts';
import { paintFor } from '../report/problem.ts';
import { ask, type Server } from './server.ts';

/** What a gateway tells of what is live: what the ledger knows, for it sees no container. Keys are those of `status`. */
export async function statusOnServer(server: Server): CommandResult {
  const asked = await ask(server, { method: 'GET', path: '/api/v1/status', answer: statusSchema });
  if (!asked.ok) return asked;
  const { live, underWay, apps } = asked.value;
  if (server.session.input.json)
    answerJson(server.session, {
      release: live?.release ?? null,
      commit: live?.commit ?? null,
      environment: live?.environment ?? null,
      state: stateOf(asked.value),
      apps: mapValues(apps, (urls) => ({ urls })),
      ...(underWay && { next: { release: underWay.release, commit: underWay.commit } }),
    });
  else answer(server.session, textOf(server, asked.value));
  return done(0);
}

const stateOf = ({ live, underWay }: Told['status']): string => (underWay ? 'rolling-out' : live ? 'live' : 'down');

function textOf({ origin, session }: Server, status: Told['status']): string {
  const paint = paintFor(session.world.stdout.isTerminal, session.world.env);
  const { architecture, live, underWay, apps } = status;
  const state = stateOf(status);
  const words = live ? `  release ${short(live.release)} from ${commitWords(live.commit)}, ${live.environment}` : '';
  const next = underWay ? [`  next      release ${short(underWay.release)} from ${commitWords(underWay.commit)} is being rolled out`] : [];
  return [
    `${paint('bold', architecture ?? origin.host)}  ${paint(state === 'live' ? 'green' : 'yellow', state)}${words}`,
    ...next,
    ...addressLines(apps),
  ].join('\n');
}
