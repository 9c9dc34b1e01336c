import { mapBounded } from '../../bounded.ts';
import { identityVolume, type Engine, type Observation } from '../../engine/engine.ts';
import { done, failed, type Result } from '../../result.ts';
import { answer, answerJson, type CommandResult, flag, type Session, textOption } from '../command.ts';
import { counted } from '../report/duration.ts';
import { localName } from '../local-name.ts';
import { subjectOf } from '../subject.ts';

type Removed = { controllers: number; containers: number; slots: number; networks: number; volumes: number };

/** `down`: removes what can be made again. Data only with --data and the architecture's name. */
export async function run(session: Session): CommandResult {
  const subject = await subjectOf(session);
  if (!subject.ok) return subject;
  const { engine, architecture } = subject.value;
  const withData = flag(session.input, 'data');
  const confirmed = textOption(session.input, 'confirm');
  if (withData && confirmed !== architecture) return failed(unconfirmed(architecture, confirmed));
  const observed = await engine.observe(architecture);
  if (!observed.ok) return observed;
  session.interruption.safe = 'some containers are stopped, others still run; the data is kept';
  session.interruption.next = 'changeless down    goes on, changeless up    brings all back';
  const removed = await removeAll({ engine, architecture, observation: observed.value, withData });
  if (!removed.ok) return removed;
  if (session.input.json) answerJson(session, { architecture, removed: removed.value });
  else answer(session, sentence(architecture, removed.value, observed.value));
  return done(0);
}

/** What a terminal that was killed left of its own runs goes with the others. */
async function clearJobs(engine: Engine, architecture: string, options: { caches: boolean }): Promise<Result<void>> {
  const cleared = await engine.jobs.clear(architecture, options);
  return cleared.ok ? engine.jobs.clear(localName(architecture), options) : cleared;
}

type Removal = { engine: Engine; architecture: string; observation: Observation; withData: boolean };

/** Controllers first: they would bring back what goes. Then from the inside out. */
async function removeAll({ engine, architecture, observation, withData }: Removal): Promise<Result<Removed>> {
  const { controllers, requests, instances, slots, networks, volumes } = observation;
  // The key to secrets is no data: whoever brings the rest back brings it again.
  const keys = volumes.filter(({ name }) => name === identityVolume);
  const data = withData ? dataOf(observation) : [];
  const stages: readonly (readonly [readonly { name: string }[], (name: string) => Promise<Result<void>>])[] = [
    [controllers, (name) => engine.removeController(architecture, name)],
    [requests, (name) => engine.takeRequest(architecture, name)],
    [instances, (name) => engine.removeInstance(architecture, name)],
    [slots, (name) => engine.removeSlot(architecture, name)],
    [networks, (name) => engine.removeNetwork(architecture, name)],
    [[...keys, ...data], (name) => engine.removeVolume(architecture, name)],
  ];
  for (const [index, [things, remove]] of stages.entries()) {
    // Steps of jobs go as soon as nobody starts any.
    const cleared = index === 1 ? await clearJobs(engine, architecture, { caches: withData }) : done(undefined);
    if (!cleared.ok) return cleared;
    const results = await mapBounded(things, 8, ({ name }) => remove(name));
    const refused = results.find((result) => !result.ok);
    if (refused !== undefined && !refused.ok) return refused;
  }
  return done({
    controllers: controllers.length,
    containers: instances.length,
    slots: slots.length,
    networks: networks.length,
    volumes: data.length,
  });
}

const dataOf = ({ volumes }: Observation): { name: string }[] => volumes.filter(({ name }) => name !== identityVolume);

function sentence(architecture: string, removed: Removed, observation: Observation): string {
  const kept = dataOf(observation).length - removed.volumes;
  const total = removed.controllers + removed.containers + removed.slots;
  if (total + removed.networks + removed.volumes === 0)
    return `nothing of ${architecture} runs${kept === 0 ? '' : `; ${counted(kept, 'volume')} of data kept`}`;
  const data = removed.volumes > 0 ? `${counted(removed.volumes, 'volume')} of data removed` : `${counted(kept, 'volume')} of data kept`;
  return `down  ${architecture}: ${counted(total, 'container')} and ${counted(removed.networks, 'network')} removed, ${data}`;
}

const unconfirmed = (architecture: string, confirmed: string | undefined) => ({
  code: 'USAGE' as const,
  what: `--data removes the data of ${architecture} for good, and wants its name`,
  why: confirmed === undefined ? '--confirm was not given' : `--confirm says ${confirmed}`,
  safe: 'nothing was changed',
  next: `changeless down --data --confirm ${architecture}`,
});
