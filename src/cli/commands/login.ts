import { isToken } from '../../api-token.ts';
import { status as statusSchema } from '../../api/schemas.ts';
import { done, failed } from '../../result.ts';
import { Secret } from '../../secret.ts';
import { answer, answerJson, type CommandResult, type Session } from '../command.ts';
import { keepToken } from '../server/kept-tokens.ts';
import { serverAddress } from '../server/server-address.ts';
import { ask } from '../server/server.ts';

/** `login <address>`: keeps a token that the server accepts. */
export async function run(session: Session): CommandResult {
  const origin = serverAddress(session.input.arguments[0] ?? '');
  if (!origin.ok) return origin;
  const token = await typedToken(session);
  if (token === undefined || !isToken(token.revealText()))
    return failed({
      code: 'USAGE',
      what: 'what was typed is no token',
      safe: 'nothing was sent, and nothing kept',
      next: 'changeless token add <name>',
    });
  const accepted = await ask({ origin: origin.value, token, session }, { method: 'GET', path: '/api/v1/status', answer: statusSchema });
  if (!accepted.ok) return accepted;
  await keepToken(session.world, origin.value, token);
  const { architecture } = accepted.value;
  if (session.input.json) answerJson(session, { server: origin.value.origin, architecture });
  else answer(session, `${origin.value.origin} is ${architecture ?? 'an architecture that says no name'}; its token is kept for --server`);
  return done(0);
}

async function typedToken({ world: { stdin } }: Session): Promise<Secret | undefined> {
  const typed = stdin.isTerminal ? await stdin.readHidden('token: ') : new TextDecoder().decode(await stdin.read());
  return typed === undefined ? undefined : new Secret(typed.trim());
}
