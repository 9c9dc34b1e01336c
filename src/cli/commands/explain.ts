import { short } from '../../digest.ts';
import type { InstanceDifference, Observation, ObservedInstance } from '../../engine/engine.ts';
import { done, failed } from '../../result.ts';
import { answer, answerJson, type CommandResult, type Session } from '../command.ts';
import { commitWords } from '../report/words.ts';
import { subjectOf } from '../subject.ts';

/** `explain <container or app>`: all of it from the engine's labels. */
export async function run(session: Session): CommandResult {
  const subject = await subjectOf(session);
  if (!subject.ok) return subject;
  const { engine, architecture } = subject.value;
  const [observed, differences] = await Promise.all([engine.observe(architecture), engine.inspectInstances(architecture)]);
  if (!observed.ok) return observed;
  if (!differences.ok) return differences;
  const word = session.input.arguments[0] ?? '';
  const found = instancesNamed(observed.value, word, architecture);
  if (found.length === 0) return failed(unknownSubject(observed.value, word));
  const explained = found.map((instance) => explain(instance, differences.value));
  if (session.input.json) answerJson(session, { subject: word, containers: explained });
  else answer(session, explained.map(text).join('\n\n'));
  return done(0);
}

/** By unit, by instance (with or without the architecture's name in front), or by the beginning of a container's id. */
export function instancesNamed({ instances }: Observation, word: string, architecture: string): ObservedInstance[] {
  const name = word.startsWith(`${architecture}.`) ? word.slice(architecture.length + 1) : word;
  const ofUnit = instances.filter(({ owner }) => owner.name === name);
  if (ofUnit.length > 0) return ofUnit;
  return instances.filter((instance) => instance.name === name || (/^[0-9a-f]{6,}$/.test(word) && instance.container.startsWith(word)));
}

function explain(instance: ObservedInstance, differences: readonly InstanceDifference[]) {
  const { name, container, owner, role, generation, image, state, startedAt, createdAt, origin, path, secrets = [] } = instance;
  const touched = differences.filter((difference) => difference.name === name).map(({ what }) => what);
  return {
    name,
    container,
    unit: owner,
    role,
    why: reason(instance),
    release: origin.release,
    commit: origin.commit,
    environment: origin.environment,
    generation,
    key: origin.key,
    image,
    tests: origin.tests ?? null,
    secrets,
    state: path === undefined ? state : path.phase,
    createdAt,
    startedAt: startedAt ?? null,
    touched,
  };
}

function reason({ owner, role, path, slot }: ObservedInstance): string {
  const whose = owner.kind === 'core' ? 'the core' : `${owner.kind} ${owner.name}`;
  if (role === 'server') return `it is the server of ${whose}, in ${slot}`;
  if (role === 'step') return `it ran once for ${whose}, and is kept to say so`;
  if (role === 'service') return `it is an instance of ${whose}, in ${slot}`;
  const phases = {
    starting: 'is starting',
    checking: 'checks what it will lead to',
    healthy: 'is healthy and waits for the switch',
    holding: 'lets clients wait while the server is swapped',
    serving: 'leads clients',
    draining: 'finishes what it has',
  };
  return `it is the data path of ${whose} and ${phases[path?.phase ?? 'starting']}`;
}

function text(one: ReturnType<typeof explain>): string {
  return [
    `${one.name}  (${one.container.slice(0, 12)})`,
    `  why         ${one.why}`,
    `  release     ${short(one.release)}, which first made it, from ${commitWords(one.commit)}, ${one.environment}`,
    `  generation  ${short(one.generation)}`,
    `  key         ${short(one.key)}`,
    `  image       ${one.image}`,
    `  tests       ${one.tests ?? 'none declared'}`,
    ...(one.secrets.length === 0
      ? []
      : [`  secrets     ${one.secrets.map(({ secret, version }) => `${secret} version ${version}`).join(', ')}`]),
    `  state       ${one.state}${one.startedAt === null ? '' : ` since ${one.startedAt}`}`,
    `  touched     ${one.touched.length === 0 ? 'no' : one.touched.join('; ')}`,
  ].join('\n');
}

const unknownSubject = ({ instances }: Observation, word: string) => ({
  code: 'UNKNOWN_SUBJECT' as const,
  what: `nothing here is called ${word}`,
  why:
    instances.length === 0
      ? 'no container of the architecture runs'
      : `there are ${[...new Set(instances.map(({ owner }) => owner.name))].toSorted().join(', ')}`,
  next: 'changeless status    lists what runs',
});
