import type { Engine, LogLine, Observation } from '../../engine/engine.ts';
import { done, failed } from '../../result.ts';
import { answer, type CommandResult, flag, type Session, textOption } from '../command.ts';
import { numberOption } from '../number-option.ts';
import { printable } from '../report/problem.ts';
import { subjectOf } from '../subject.ts';
import { instancesNamed } from './explain.ts';
import { keptLogs } from '../kept-logs.ts';

/** `logs <unit>`: the output of its containers. */
export async function run(session: Session): CommandResult {
  const tail = numberOption(session.input, 'tail', 100);
  if (!tail.ok) return tail;
  const subject = await subjectOf(session);
  if (!subject.ok) return subject;
  const { engine, architecture } = subject.value;
  const observed = await engine.observe(architecture);
  if (!observed.ok) return observed;
  const unit = session.input.arguments[0] ?? '';
  const release = textOption(session.input, 'release');
  const names = namesOf({ observation: observed.value, unit, architecture, release });
  if (names.length === 0 && release !== undefined) return keptLogs({ session, engine, architecture, unit, release });
  if (names.length === 0) return failed(nothingToRead(observed.value, unit));
  session.interruption.safe = 'nothing was changed';
  await Promise.all(names.map((name) => copyLog({ session, engine, architecture, name, several: names.length > 1, tail: tail.value })));
  return done(0);
}

type Asked = { observation: Observation; unit: string; architecture: string; release: string | undefined };

function namesOf({ observation, unit, architecture, release }: Asked): string[] {
  const made = (by: string): boolean => release === undefined || by.startsWith(release);
  if (unit === 'controller') return observation.controllers.filter((controller) => made(controller.release)).map(({ name }) => name);
  const found = instancesNamed(observation, unit, architecture).filter(({ origin }) => made(origin.release));
  // What an app's proxy says is there by the proxy's own name; the app's output is that of its services.
  const members = found.filter(({ role }) => role !== 'path');
  return (members.length > 0 ? members : found).map(({ name }) => name);
}

type Copied = { session: Session; engine: Engine; architecture: string; name: string; several: boolean; tail: number };

async function copyLog({ session, engine, architecture, name, several, tail }: Copied): Promise<void> {
  const { world, input } = session;
  const options = { follow: flag(input, 'follow'), tail, signal: world.signal };
  for await (const line of engine.logs(architecture, name, options)) {
    if (world.signal.aborted) return;
    if (input.json) world.stdout.write(`${JSON.stringify({ instance: name, ...line })}\n`);
    else answer(session, `${several ? `${name}  ` : ''}${textOf(line)}`);
  }
}

const textOf = ({ line }: LogLine): string => printable(line);

const nothingToRead = ({ instances }: Observation, unit: string) => ({
  code: 'UNKNOWN_SUBJECT' as const,
  what: `nothing that runs is called ${unit}`,
  why: `there are ${[...new Set(instances.map(({ owner }) => owner.name)), 'controller'].join(', ')}`,
  next: 'changeless status    lists what runs',
});
