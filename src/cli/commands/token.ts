import { digestOfToken, isScope, isTokenName, tokenCharacters, tokenOf } from '../../api-token.ts';
import { answersApi } from '../../release/takes-inbox.ts';
import { done, failed, type Result } from '../../result.ts';
import { askTokens, type ToldToken } from '../ask-ledger.ts';
import { answer, answerJson, type CommandResult, type Session, textOption } from '../command.ts';
import { askInCharge, inChargeOf, type InCharge } from '../in-charge.ts';
import { numberOption } from '../number-option.ts';

/** `token <action>`: `add` one, `list` all, or `revoke` one. */
export async function run(session: Session): CommandResult {
  const [action = '', name = ''] = session.input.arguments;
  const act = actions[action];
  if (act === undefined) return failed(usage(`token cannot ${action}`));
  if (action !== 'list' && !isTokenName(name)) return failed(usage(`a token cannot be called ${JSON.stringify(name)}`));
  const inCharge = await inChargeOf(session);
  if (!inCharge.ok) return inCharge;
  if (!answersApi(inCharge.value.manifest)) return failed(apiOff);
  return act(inCharge.value, name);
}

const actions: Readonly<Record<string, (inCharge: InCharge, name: string) => CommandResult>> = { add, list, revoke };

const dayMs = 24 * 60 * 60 * 1000;

async function add(inCharge: InCharge, name: string): CommandResult {
  const { session } = inCharge;
  const days = daysOf(session);
  if (!days.ok) return days;
  const scope = textOption(session.input, 'scope') ?? 'read';
  if (!isScope(scope)) return failed(usage(`there is no scope ${scope}`));
  const token = tokenOf(session.world.random(tokenCharacters));
  const expiresAt = new Date(Date.parse(session.world.clock()) + days.value * dayMs).toISOString();
  const served = await askInCharge(inCharge, { ask: 'add-token', name, scope, digest: digestOfToken(token), expiresAt });
  if (!served.ok) return served;
  if (session.input.json) answerJson(session, { name, scope, expiresAt, token });
  else {
    session.world.stderr.write(`token ${name} may ${scope} until ${expiresAt.slice(0, 10)}; it is not kept, and cannot be shown again\n`);
    answer(session, token);
  }
  return done(0);
}

function daysOf({ input }: Session): Result<number> {
  const days = numberOption(input, 'days', 90);
  return days.ok && (days.value < 1 || days.value > 366) ? failed(usage('a token is accepted for 1 to 366 days')) : days;
}

async function list({ session, engine, architecture, image }: InCharge): CommandResult {
  const told = await askTokens({ engine, architecture, image });
  if (!told.ok) return told;
  if (session.input.json) answerJson(session, told.value);
  else answer(session, told.value.length === 0 ? 'there are no tokens' : told.value.map((token) => line(session, token)).join('\n'));
  return done(0);
}

function line({ world }: Session, { name, scope, expiresAt, revokedAt, usedOn }: ToldToken): string {
  const state = revokedAt !== undefined ? 'revoked' : expiresAt <= world.clock() ? 'ended' : 'accepted';
  const used = usedOn === undefined ? 'never used' : `used on ${usedOn}`;
  return `${name.padEnd(16)}  ${scope.padEnd(6)}  ${state.padEnd(8)}  until ${expiresAt.slice(0, 10)}  ${used}`;
}

async function revoke(inCharge: InCharge, name: string): CommandResult {
  const { session } = inCharge;
  const served = await askInCharge(inCharge, { ask: 'revoke-token', name });
  if (!served.ok) return served;
  if (session.input.json) answerJson(session, { name, revoked: true });
  else answer(session, `token ${name} is accepted no more`);
  return done(0);
}

const usage = (what: string) => ({
  code: 'USAGE' as const,
  what,
  safe: 'nothing was changed',
  next: 'changeless token add <name> --scope read, changeless token list, or changeless token revoke <name>',
});

const apiOff = {
  code: 'API_OFF' as const,
  what: 'the release that is live has no API',
  safe: 'nothing was changed',
  next: 'gateway: gateway({ api: true }) in architecture.ts; commit, and: changeless up',
};
