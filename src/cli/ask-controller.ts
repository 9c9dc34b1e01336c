import type { Engine, ObservedController } from '../engine/engine.ts';
import type { RecordedEvent } from '../events.ts';
import type { Problem } from '../problem.ts';
import type { Request } from '../request.ts';
import { done, failed, type Result } from '../result.ts';
import type { Session } from './command.ts';
import { followController, type FollowedController } from './follow-controller.ts';

export type Asking = { session: Session; engine: Engine; architecture: string; controller: ObservedController };

/** Lays a request before a controller: the name it was given. */
export async function askController({ session, engine, architecture, controller }: Asking, request: Request): Promise<Result<string>> {
  const name = `request.${session.world.random(4)}`;
  const asked = await engine.ask(architecture, { name, image: controller.image, request });
  return asked.ok ? done(name) : asked;
}

/** `read`: told each event that is not the request's refusal; gives the end, when one says it. */
export type FollowedRequest<End> = Asking & {
  request: string;
  from: FollowedController<End>['from'];
  read: (event: RecordedEvent) => Result<End> | undefined;
};

/** Follows what comes of a request. REQUEST_REFUSED and why, where nothing does; CONTROLLER_DIED where nobody answers. */
export async function followRequest<End>(followed: FollowedRequest<End>): Promise<Result<End>> {
  const { session, engine, architecture, controller, request, from, read } = followed;
  const to = await followController<Result<End>>({
    engine,
    architecture,
    controller: controller.name,
    signal: session.world.signal,
    from,
    read: (event) => (event.type === 'request-refused' && event.request === request ? failed(event.problem) : read(event)),
  });
  return to.how === 'said' ? to.end : failed(silent(controller));
}

const silent = ({ name }: ObservedController): Problem => ({
  code: 'CONTROLLER_DIED',
  what: `${name} does not answer`,
  safe: 'the request lies there until it does; what serves serves on',
  next: 'changeless status',
});
