import type { Asked } from '../../asked.ts';
import { short } from '../../digest.ts';
import type { Engine } from '../../engine/engine.ts';
import { done, failed, type Result } from '../../result.ts';
import type { CertificateCheck } from '../check-certificates.ts';
import { checkPorts } from '../check-ports.ts';
import { type CommandResult, flag, placeOf, type Session, textOption } from '../command.ts';
import type { BuiltImages, Source } from '../delivery.ts';
import { chooseSource } from '../dirty.ts';
import { keysFor } from '../hand-over-keys.ts';
import { decideHeld, type Held, heldNow, tellHeld } from '../held.ts';
import { liveController } from '../live-controller.ts';
import { findLive, type Live, manifestOf } from '../live.ts';
import { historyAfter } from '../../rollout/release-history.ts';
import { findRelease, looksLikeRelease, type ReleaseImage, releaseImages } from '../releases.ts';
import { alreadyLive, type RolloutStream, withStream } from '../rollout-stream.ts';
import { concluded, type RunRelease, runRelease } from '../run-release.ts';
import { rememberName, subjectOf } from '../subject.ts';
import { tellAddresses } from '../tell-addresses.ts';
import { worthWithout } from '../worth-without.ts';

/** `up [commit or release]`: the commit's release is live when it returns 0. */
export const run = (session: Session): CommandResult => withStream(session, (stream) => up(session, stream));

async function up(session: Session, stream: RolloutStream): CommandResult {
  const engine = await session.world.engine();
  if (!engine.ok) return engine;
  const answering = engine.value.describe();
  const [named] = session.input.arguments;
  if (named !== undefined && looksLikeRelease(named) && !flag(session.input, 'worktree')) {
    const answered = await answering;
    if (!answered.ok) return answered;
    const image = await namedImage(session, named);
    if (!image.ok) return image;
    if (image.value !== undefined)
      return runNamed({ session, stream, engine: engine.value, architecture: image.value.architecture, target: image.value.target });
  }
  return upFromSource(session, stream, answering);
}

/** A release image that the word names; undefined when it must be a commit. */
async function namedImage(session: Session, named: string): Promise<Result<{ architecture: string; target: ReleaseImage } | undefined>> {
  const subject = await subjectOf(session);
  if (!subject.ok) return subject;
  const { engine, architecture } = subject.value;
  const images = await releaseImages(engine, architecture);
  if (!images.some(({ release }) => release.startsWith(named.toLowerCase()))) return done(undefined);
  const found = await findRelease(engine, {
    architecture,
    release: named,
    environment: textOption(session.input, 'environment') ?? 'local',
  });
  return found.ok ? done({ architecture, target: found.value }) : found;
}

type Named = { session: Session; stream: RolloutStream; engine: Engine; architecture: string; target: ReleaseImage };

async function runNamed({ session, stream, engine, architecture, target }: Named): CommandResult {
  const controllers = await engine.controllers(architecture);
  if (!controllers.ok) return controllers;
  const live = await liveController({ session, engine, architecture, controllers: controllers.value });
  const held = await heldNow(engine, architecture, controllers.value);
  if (held && isHeld(held, target.release, target.environment)) return goOn({ session, engine, architecture, stream, live }, held);
  const manifest = await manifestOf(session.world, engine, target.image);
  const fit = manifest && (await certificatesFit({ session, inputs: manifest.inputs, environment: target.environment }));
  if (fit?.ok === false) return fit;
  return runRelease({
    session,
    engine,
    architecture,
    target,
    history: historyAfter(live, target.release),
    ...requestFor(session),
    live,
    stream,
    detach: flag(session.input, 'detach'),
  });
}

/** `answering`: whether an engine answers; asked while the folder is looked at. */
async function upFromSource(session: Session, stream: RolloutStream, answering: ReturnType<Engine['describe']>): CommandResult {
  const delivery = await session.world.delivery();
  const [answered, chosen] = await Promise.all([answering, chooseSource(session, delivery)]);
  if (!answered.ok) return answered;
  if (!chosen.ok) return chosen;
  const source = await delivery.evaluate({ place: placeOf(session), ...chosen.value, report: stream.report });
  if (!source.ok) return source;
  try {
    const delivered = await deliver({ session, stream, source: source.value });
    await rememberName(session, source.value.architecture.name);
    return delivered.ok ? delivered : failed(await source.value.place(delivered.problem));
  } finally {
    await source.value.close();
  }
}

type Delivering = { session: Session; stream: RolloutStream; source: Source };

async function deliver({ session, stream, source }: Delivering): CommandResult {
  const { engine, architecture } = source;
  const environment = textOption(session.input, 'environment') ?? 'local';
  const [planned, found] = await Promise.all([source.plan(), findLive(session.world, engine, architecture.name)]);
  if (!planned.ok) return planned;
  if (!found.ok) return found;
  const live = found.value.live?.controller;
  session.interruption.safe =
    live === undefined
      ? 'nothing runs yet; images that are finished are kept'
      : `release ${short(live.release)} still serves; nothing was switched`;
  if (!Object.hasOwn(planned.value.environments, environment))
    return failed(unknownEnvironment(environment, Object.keys(planned.value.environments)));
  const { release, evaluated } = planned.value;
  if (isLiveAndWhole(found.value, release, environment)) return tellUnchanged({ session, stream, engine, live: found.value });
  const held = await heldNow(engine, architecture.name, found.value.observation.controllers);
  if (held && isHeld(held, release, environment)) return goOn({ session, engine, architecture: architecture.name, stream, live }, held);
  const { inputs } = planned.value;
  const keys = await keysFor({ session, engine, inputs, environment, locate: source.locate });
  if (!keys.ok) return keys;
  const fit = await certificatesFit({ session, inputs, environment, locate: source.locate });
  if (!fit.ok) return fit;
  const goesOn = worthWithout({ planned: planned.value, environment, units: found.value.units });
  const built = await source.build(planned.value, goesOn);
  if (!built.ok) return built;
  const free = await checkPorts({ session, engine, architecture, environment, live: found.value });
  if (!free.ok) return free;
  const target: ReleaseImage = { release, commit: evaluated.commit.id, environment, ...sealedImage(built.value, environment) };
  return runRelease({
    session,
    engine,
    architecture: architecture.name,
    target,
    history: historyAfter(live, release),
    ...requestFor(session),
    live,
    stream,
    detach: flag(session.input, 'detach'),
  });
}

/** Only `up` asks: a rollback brings back what clients were shown before, and is not kept from it. */
async function certificatesFit(check: CertificateCheck): Promise<Result<void>> {
  if (check.inputs.secrets === undefined) return done(undefined);
  return (await import('../check-certificates.ts')).checkCertificates(check);
}

const isHeld = ({ controller }: Held, release: string, environment: string): boolean =>
  controller.release === release && controller.environment === environment;

/** The release that is asked for is ready, and was only held for a look: it is let live, or with --hold held on. */
async function goOn(going: Pick<RunRelease, 'session' | 'engine' | 'architecture' | 'stream' | 'live'>, held: Held): CommandResult {
  const { session, engine, architecture, stream, live } = going;
  if (flag(session.input, 'hold')) return sayHeldOn(going, held);
  const ended = await decideHeld({ session, engine, stream, architecture, held }, 'let-live');
  if (!ended.ok) return ended;
  const { release, commit, environment, image, name } = held.controller;
  if (ended.value.outcome === 'failed') await engine.removeController(architecture, name);
  return concluded({ session, engine, stream, live, target: { release, commit, environment, image, tag: image } }, ended.value);
}

function sayHeldOn({ session, engine, stream }: Pick<RunRelease, 'session' | 'engine' | 'stream'>, held: Held): CommandResult {
  if (session.input.json) stream.report(held.event);
  return tellHeld({ session, engine, stream }, held);
}

const requestFor = ({ input }: Session): { asked: Asked; waits: boolean; holds: boolean } => ({
  asked: flag(input, 'releaseAnyway') ? 'anyway' : 'up',
  waits: flag(input, 'wait'),
  holds: flag(input, 'hold'),
});

function sealedImage(built: BuiltImages, environment: string): Pick<ReleaseImage, 'image' | 'tag'> {
  const sealed = built[environment];
  if (sealed === undefined) throw new Error(`no release image was sealed for ${environment}`);
  return { image: sealed.id, tag: sealed.tag };
}

function isLiveAndWhole({ live, whole, rollout, newer }: Live, release: string, environment: string): boolean {
  const controller = live?.controller;
  return (
    whole &&
    !rollout &&
    newer === undefined &&
    controller?.release === release &&
    controller.environment === environment &&
    controller.state === 'running'
  );
}

async function tellUnchanged({
  session,
  stream,
  engine,
  live,
}: {
  session: Session;
  stream: RolloutStream;
  engine: Engine;
  live: Live;
}): CommandResult {
  const controller = live.live?.controller;
  if (controller === undefined) return done(0);
  if (session.input.json) stream.report(alreadyLive({ release: controller.release, commit: controller.commit }, session.world.clock()));
  stream.end();
  const git = await (await import('../add-git-remote.ts')).addGitRemote({ session, engine, target: controller });
  if (!session.input.json)
    await tellAddresses({
      session,
      engine,
      git,
      target: controller,
      headline: `live  release ${short(controller.release)} is live already; nothing was changed`,
    });
  return done(0);
}

const unknownEnvironment = (environment: string, declared: readonly string[]) => ({
  code: 'UNKNOWN_ENVIRONMENT' as const,
  what: `the architecture declares no environment ${environment}`,
  why: `it has ${declared.join(', ')}`,
  safe: 'nothing was changed',
  next: `name one of them with --environment, or declare ${environment} in architecture.ts`,
});
