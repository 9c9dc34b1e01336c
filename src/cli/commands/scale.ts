import { resolveEnvironment } from '../../release/resolve-environment.ts';
import { isElastic, type ReplicaRange } from '../../architecture/model.ts';
import type { RecordedEvent } from '../../events.ts';
import { done, failed, type Result } from '../../result.ts';
import { askController, followRequest } from '../ask-controller.ts';
import type { CommandResult, Session } from '../command.ts';
import { lastLine } from '../controller-log.ts';
import { findLive, type Live } from '../live.ts';
import { notRunning } from '../not-running.ts';
import { streamReporter } from '../report/choose-reporter.ts';
import { subjectOf } from '../subject.ts';

type Asked = { app: string; service: string; count: number };

/** `scale <service> <count>`: asks the controller in charge, and resolves when as many run as were asked for. */
export async function run(session: Session): CommandResult {
  const asked = askedOf(session);
  if (!asked.ok) return asked;
  const subject = await subjectOf(session);
  if (!subject.ok) return subject;
  const { engine, architecture } = subject.value;
  const live = await findLive(session.world, engine, architecture);
  if (!live.ok) return live;
  const { rollout, newer, live: before } = live.value;
  const { controller } = (rollout && newer) || before || {};
  if (controller === undefined) return failed(notRunning(architecture));
  const within = withinRange(live.value, asked.value);
  if (!within.ok) return within;
  const after = await lastLine(engine, architecture, controller.name);
  const asking = { session, engine, architecture, controller };
  const request = await askController(asking, { ask: 'scale', ...asked.value });
  if (!request.ok) return request;
  session.interruption.safe = 'the controller goes on with it';
  const reporter = streamReporter(session.world, session.input.json);
  const read = (event: RecordedEvent): Result<number> | undefined => {
    reporter.report(event);
    return event.type === 'request-served' && event.request === request.value ? done(0) : undefined;
  };
  const served = await followRequest({ ...asking, request: request.value, from: after && { after }, read });
  reporter.end();
  return served;
}

function askedOf({ input }: Session): Result<Asked> {
  const [name = '', count = ''] = input.arguments;
  const [app = '', service = ''] = name.split('.');
  if (app !== '' && service !== '' && /^\d{1,6}$/.test(count)) return done({ app, service, count: Number(count) });
  return failed({
    code: 'USAGE',
    what: `scale wants a service and a number, not ${JSON.stringify(`${name} ${count}`)}`,
    safe: 'nothing was changed',
    next: 'for example: changeless scale catalog.api 4',
  });
}

function withinRange(live: Live, { app, service, count }: Asked): Result<ReplicaRange> {
  const { manifest, controller } = live.live ?? {};
  const resolved = manifest && controller && resolveEnvironment(manifest.inputs.architecture, controller.environment);
  const apps = resolved?.ok ? resolved.value.apps : {};
  const replicas = apps[app]?.services[service]?.replicas;
  const names = Object.entries(apps).flatMap(([name, { services }]) => Object.keys(services).map((each) => `${name}.${each}`));
  const safe = 'nothing was changed';
  if (replicas === undefined)
    return failed({
      code: 'UNKNOWN_SUBJECT',
      what: `no service is called ${app}.${service}`,
      why: `there are ${names.join(', ')}`,
      safe,
      next: 'changeless status',
    });
  if (!isElastic(replicas))
    return failed({
      code: 'REQUEST_REFUSED',
      what: `${app}.${service} has ${replicas} in the release, and no range`,
      safe,
      next: `replicas: { min: ${Math.min(replicas, count)}, max: ${Math.max(replicas, count)} } in architecture.ts; commit, and: changeless up`,
    });
  if (count >= replicas.min && count <= replicas.max) return done(replicas);
  return failed({
    code: 'REQUEST_REFUSED',
    what: `${app}.${service} has from ${replicas.min} to ${replicas.max} instances, not ${count}`,
    safe,
    next: 'ask for a number in between, or change the range in architecture.ts; commit, and: changeless up',
  });
}
