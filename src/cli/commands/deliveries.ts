import { delivery, pageOf, type Told } from '../../api/schemas.ts';
import { done, type Result } from '../../result.ts';
import { askPages, serverOf, type Server } from '../server/server.ts';
import { askDeliveries } from '../ask-ledger.ts';
import { answer, answerJson, type CommandResult, type Session } from '../command.ts';
import { numberOption } from '../number-option.ts';
import { subjectOf } from '../subject.ts';
import { imageToAsk } from './log.ts';

/** `deliveries`: what the gateway took and the ledger has, newest first. */
export async function run(session: Session): CommandResult {
  const limit = numberOption(session.input, 'limit', 20);
  if (!limit.ok) return limit;
  const server = await serverOf(session);
  if (!server.ok) return server;
  const told = server.value ? await askServer(server.value, limit.value) : await askEngine(session, limit.value);
  if (!told.ok) return told;
  const { who, deliveries } = told.value;
  if (session.input.json) answerJson(session, deliveries);
  else answer(session, deliveries.length === 0 ? `${who} has taken no delivery` : deliveries.map(line).join('\n'));
  return done(0);
}

type Taken = { who: string; deliveries: readonly Told['delivery'][] };

async function askEngine(session: Session, limit: number): Promise<Result<Taken>> {
  const subject = await subjectOf(session);
  if (!subject.ok) return subject;
  const { engine, architecture } = subject.value;
  const image = await imageToAsk(engine, architecture);
  if (!image.ok) return image;
  const asked = image.value === undefined ? done([]) : await askDeliveries({ engine, architecture, image: image.value }, limit);
  return asked.ok ? done({ who: architecture, deliveries: asked.value }) : asked;
}

async function askServer(server: Server, limit: number): Promise<Result<Taken>> {
  const asked = await askPages(server, '/api/v1/deliveries', { page: pageOf(delivery), limit });
  return asked.ok ? done({ who: server.origin.origin, deliveries: asked.value }) : asked;
}

function line({ number, source, id, kind, repository, branch, after, receivedAt }: Told['delivery']): string {
  const what = [kind, repository, branch, after?.slice(0, 8)].filter((word) => word !== undefined).join(' ');
  return `${receivedAt.slice(0, 19).replace('T', ' ')}  ${String(number).padStart(5)}  ${source.padEnd(10)} ${what}  (${id})`;
}
