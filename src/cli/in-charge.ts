import type { ObservedController } from '../engine/engine.ts';
import type { Manifest } from '../release/manifest.ts';
import type { Request } from '../request.ts';
import { done, failed, type Result } from '../result.ts';
import { askController, followRequest } from './ask-controller.ts';
import type { Session } from './command.ts';
import { lastLine } from './controller-log.ts';
import type { LedgerSubject } from './copy-run.ts';
import { findLive } from './live.ts';
import { notRunning } from './not-running.ts';
import { subjectOf } from './subject.ts';

/** The release that is live, and the controller that is in charge. `image`: that release's. */
export type InCharge = LedgerSubject & { manifest: Manifest; controller: ObservedController };

export async function inChargeOf(session: Session): Promise<Result<InCharge>> {
  const subject = await subjectOf(session);
  if (!subject.ok) return subject;
  const { engine, architecture } = subject.value;
  const found = await findLive(session.world, engine, architecture);
  if (!found.ok) return found;
  const { live, newer, rollout } = found.value;
  if (!live?.manifest) return failed(notRunning(architecture));
  // Whoever rolls the next release out is in charge already.
  const { controller } = (rollout && newer) || live;
  return done({ session, engine, architecture, manifest: live.manifest, controller, image: live.controller.image });
}

/** Lays a request before the controller in charge, and waits until it has served or refused it. */
export async function askInCharge({ session, engine, architecture, controller }: InCharge, request: Request): Promise<Result<undefined>> {
  const asking = { session, engine, architecture, controller };
  const after = await lastLine(engine, architecture, controller.name);
  const asked = await askController(asking, request);
  if (!asked.ok) return asked;
  return followRequest<undefined>({
    ...asking,
    request: asked.value,
    from: after && { after },
    read: (event) => (event.type === 'request-served' && event.request === asked.value ? done(undefined) : undefined),
  });
}
