import { done } from '../../result.ts';
import type { TakenDelivery } from '../../ledger/delivery.ts';
import { askDeliveries } from '../ask-ledger.ts';
import { answer, answerJson, type CommandResult, type Session } from '../command.ts';
import { numberOption } from '../number-option.ts';
import { subjectOf } from '../subject.ts';
import { imageToAsk } from './log.ts';

/** `deliveries`: what the gateway took and the ledger has, newest first. */
export async function run(session: Session): CommandResult {
  const limit = numberOption(session.input, 'limit', 20);
  if (!limit.ok) return limit;
  const subject = await subjectOf(session);
  if (!subject.ok) return subject;
  const { engine, architecture } = subject.value;
  const image = await imageToAsk(engine, architecture);
  if (!image.ok) return image;
  const asked = image.value === undefined ? done([]) : await askDeliveries({ engine, architecture, image: image.value }, limit.value);
  if (!asked.ok) return asked;
  if (session.input.json) answerJson(session, asked.value);
  else answer(session, asked.value.length === 0 ? `${architecture} has taken no delivery` : asked.value.map(line).join('\n'));
  return done(0);
}

function line({ number, source, id, kind, repository, branch, after, receivedAt }: TakenDelivery): string {
  const what = [kind, repository, branch, after?.slice(0, 8)].filter((word) => word !== undefined).join(' ');
  return `${receivedAt.slice(0, 19).replace('T', ' ')}  ${String(number).padStart(5)}  ${source.padEnd(10)} ${what}  (${id})`;
}
