import { short, type ReleaseId } from '../digest.ts';
import type { ObservedController } from '../engine/engine.ts';
import type { CommandRecord } from '../ledger/commands.ts';
import { quarantineOf } from '../ledger/quarantine.ts';
import type { Problem } from '../problem.ts';
import { takesInbox } from '../release/takes-inbox.ts';
import { failed, done, type Result } from '../result.ts';
import { storeLeft } from '../rollout/left-writes.ts';
import { historyAfter, historyBefore } from '../rollout/release-history.ts';
import { manifestIn, releaseImage } from '../rollout/release-on-engine.ts';
import type { Post } from './post.ts';
import { heldBy, nothingToDo, quarantined } from './refusal.ts';

export type Wanted = { token: number; command: CommandRecord; by: string; does: 'roll-back' | 'deploy'; release?: ReleaseId };

/** A command that waited longer is about a state of things that has passed. */
const lateMs = 15 * 60_000;

/**
 * Begins the rollout of another release whose image is on the engine, as `up` or `rollback` of it does. Which one it is, is on record
 * before anything is started: whoever goes on with it after a kill starts that one, or finds that it is in charge.
 */
export async function startAnother(post: Post, wanted: Wanted): Promise<Problem | undefined | 'later'> {
  const { engine, desired, manifest, self } = post;
  const [controllers, began] = await Promise.all([engine.controllers(desired.architecture), begun(post, wanted.command)]);
  if (!controllers.ok) return 'later';
  if (began === manifest.release) return undefined;
  const own = controllers.value.find(({ container }) => container === self);
  if (!own) return 'later';
  if (Math.abs(post.clock().getTime() - Date.parse(wanted.command.receivedAt)) > lateMs) return late;
  const target = began ? done(began) : await targetOf(post, own, wanted);
  if (!target.ok) return target.problem;
  return start(post, { own, others: controllers.value, wanted, release: target.value, isBegun: began !== undefined });
}

/** The release that a command is on record with, when it was begun. */
async function begun({ ledger }: Post, { id }: CommandRecord): Promise<ReleaseId | undefined> {
  const events = await ledger.events({ type: 'command-began', limit: 100 });
  const own = events.find((event) => event.type === 'command-began' && event.command === id);
  return own?.type === 'command-began' ? own.release : undefined;
}

async function targetOf(post: Post, own: ObservedController, { token, does, release }: Wanted): Promise<Result<ReleaseId>> {
  const { ledger, manifest, environment } = post;
  const rollouts = await ledger.rollouts(200);
  const current = rollouts.find((each) => each.token === token);
  if (current?.outcome !== 'live' || current.goingBack) return failed(current ? heldBy(current) : nothingToDo('to run another release'));
  const target = release ?? own.history[0];
  if (target === undefined) return failed(nothingBefore(manifest.release));
  if (target === manifest.release) return failed(isLive(target));
  const quarantine = does === 'deploy' ? quarantineOf(rollouts, target, environment) : undefined;
  return quarantine ? failed(quarantined(target, quarantine)) : done(target);
}

type Starting = { own: ObservedController; others: readonly ObservedController[]; wanted: Wanted; release: ReleaseId; isBegun: boolean };

async function start(post: Post, { own, others, wanted, release, isBegun }: Starting): Promise<Problem | undefined | 'later'> {
  const { engine, desired, environment, journal } = post;
  const { architecture } = desired;
  const { command, does, by } = wanted;
  const image = await releaseImage(engine, { architecture, release, environment });
  const manifest = image && (await manifestIn(engine.images, image.id));
  if (!image || !manifest) return notThere(release);
  const left = await leftBehind(post, manifest);
  if (left === 'later' || left) return left;
  if (!isBegun) {
    journal.report({ type: 'command-began', command: command.id, does, by, release });
    await journal.flush();
  }
  const standsBy = others.some((each) => each.release === release && each.container !== own.container && each.state === 'running');
  // What stands by beside a release that bakes takes over again by itself.
  const asked = standsBy
    ? await engine.ask(architecture, { name: `request.${command.id}`, image: own.image, request: { ask: 'go-back', release: own.release } })
    : await engine.startController(architecture, {
        // The same whoever starts it.
        name: `controller.${release.slice(0, 8)}.${command.id.slice(-6)}`,
        image: image.id,
        release,
        commit: manifest.inputs.source.commit,
        environment,
        history: does === 'deploy' ? historyAfter(own, release) : historyBefore(own, release),
        asked: does === 'deploy' ? 'up' : 'rollback',
        ...(takesInbox(manifest) && { takesInbox: true }),
      });
  return asked.ok ? undefined : asked.problem;
}

async function leftBehind({ engine, manifest, desired }: Post, to: Post['manifest']): Promise<Problem | undefined | 'later'> {
  const observed = await engine.observe(desired.architecture);
  if (!observed.ok) return 'later';
  const store = storeLeft(manifest, to, observed.value.volumes);
  if (store === undefined) return undefined;
  return {
    code: 'WRITES_LEFT',
    what: `release ${short(to.release)} goes to another data generation of ${store}, and leaves what was written since behind`,
    safe: 'nothing was changed; no data generation is ever removed by going to another',
    next: 'changeless rollback --leave-writes, or up --leave-writes, with the engine at hand',
  };
}

const late: Problem = {
  code: 'COMMAND_LATE',
  what: `the command was taken more than ${lateMs / 60_000} minutes after it was given, and was not done`,
  why: 'no controller was in charge meanwhile; what is live may be another release by now',
  safe: 'nothing was changed',
  next: 'look at what is live, and give it again',
};

const notThere = (release: ReleaseId): Problem => ({
  code: 'UNKNOWN_RELEASE',
  what: `the engine has no image of release ${short(release)}`,
  safe: 'nothing was changed',
  next: 'changeless build makes a release again from its commit',
});

const isLive = (release: ReleaseId): Problem => ({
  code: 'REQUEST_REFUSED',
  what: `release ${short(release)} is live`,
  safe: 'nothing was changed',
});

const nothingBefore = (release: ReleaseId): Problem => ({
  code: 'NOTHING_BEFORE',
  what: 'there is no earlier release to go back to',
  why: `release ${short(release)} is the first that became live here`,
  safe: 'it serves on; nothing was changed',
});
