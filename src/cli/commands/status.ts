import type { styleText } from 'node:util';
import { short } from '../../digest.ts';
import type { ObservedInstance } from '../../engine/engine.ts';
import { mapValues } from '../../map-values.ts';
import { resolveEnvironment } from '../../release/resolve-environment.ts';
import { originText } from '../../release/way-out.ts';
import { done } from '../../result.ts';
import { stepOf } from '../../rollout/ground.ts';
import { addressesOf } from '../../release/addresses.ts';
import { type EndingCertificate, endingCertificates } from '../ending-certificates.ts';
import { answer, answerJson, type CommandResult, flag, type Session } from '../command.ts';
import { compareWithRelease } from '../compare.ts';
import { driftEntries } from '../drift-entry.ts';
import { type FiringAlarm, firingAlarms } from '../firing-alarms.ts';
import { heldNow, previewAddresses } from '../held.ts';
import { type LiveUnit, wholeHealth } from '../live-state.ts';
import { findLive, type Live } from '../live.ts';
import { counted } from '../report/duration.ts';
import { paintFor } from '../report/problem.ts';
import { commitWords, stepWords, unitWords } from '../report/words.ts';
import { subjectOf } from '../subject.ts';
import { answeredWords, trafficOf, trafficWords } from '../traffic.ts';

/** `status`: what is live; exit 0 whatever it is. */
export async function run(session: Session): CommandResult {
  const subject = await subjectOf(session);
  if (!subject.ok) return subject;
  const { engine, architecture } = subject.value;
  const [live, differences] = await Promise.all([findLive(session.world, engine, architecture), engine.inspectInstances(architecture)]);
  if (!live.ok) return live;
  if (!differences.ok) return differences;
  const { desired, standingBy, observation, rollout } = live.value;
  const compared =
    desired === undefined || rollout
      ? []
      : compareWithRelease({ desired, standingBy: standingBy?.desired, observation }, differences.value).drift;
  const resolved = resolvedOf(live.value);
  const [alarms, held, certificates] = await Promise.all([
    firingAlarms(engine, desired, live.value.live?.controller.name),
    heldNow(engine, architecture, observation.controllers),
    resolved ? endingCertificates(session.world, resolved) : [],
  ]);
  const previews = held && { release: held.controller.release, urls: await previewAddresses(session.world, engine, held) };
  const status = statusOf(live.value, {
    drift: driftEntries(compared, session.world.clock(), 'status'),
    alarms,
    held: previews,
    certificates,
  });
  if (session.input.json) answerJson(session, status);
  else answer(session, statusText(session, { architecture, live: live.value, status }));
  return done(0);
}

type Status = ReturnType<typeof statusOf>;

type Known = {
  drift: ReturnType<typeof driftEntries>;
  alarms: readonly FiringAlarm[];
  certificates: readonly EndingCertificate[];
  held: { release: string; urls: Readonly<Record<string, readonly string[]>> } | undefined;
};

function statusOf(live: Live, { drift, alarms, held, certificates }: Known) {
  const urls = urlsOf(live);
  const ofKind = (kind: LiveUnit['kind']) =>
    Object.fromEntries(
      live.units
        .filter((unit) => unit.kind === kind)
        .map((unit) => [unit.name, unitStatus(unit, kind === 'app' ? (urls[unit.name] ?? []) : [])]),
    );
  const core = live.units.find((unit) => unit.kind === 'core');
  const controller = live.live?.controller;
  return {
    release: controller?.release ?? null,
    commit: controller?.commit ?? null,
    environment: controller?.environment ?? null,
    state: wholeHealth(live, live.rollout),
    apps: mapValues(ofKind('app'), (status, name) => {
      const elsewhere = resolvedOf(live)?.apps[name]?.elsewhere;
      return { ...status, ...(elsewhere && { elsewhere: originText(elsewhere) }) };
    }),
    stores: ofKind('store'),
    core: core === undefined ? { generation: null, state: 'down', urls: [], instances: [] } : unitStatus(core, publishedUrls(live)),
    controller: controllerStatus(live),
    ...(live.standingBy && { standingBy: { release: live.standingBy.controller.release, commit: live.standingBy.controller.commit } }),
    ...(live.rollout && live.newer && { next: { release: live.newer.controller.release, commit: live.newer.controller.commit } }),
    ...metricsOf(live),
    ...(held && { held }),
    alarms,
    ...(certificates.length > 0 && { certificates }),
    drift,
  };
}

function unitStatus(unit: LiveUnit, urls: readonly string[]) {
  const traffic = trafficOf(unit);
  return {
    generation: unit.generation ?? null,
    state: unit.state as string,
    urls: [...urls],
    instances: unit.instances.map(instanceStatus),
    ...(traffic && { traffic }),
    ...(unit.scaled.length > 0 && { scaled: unit.scaled }),
    ...(unit.steps.length > 0 && { steps: unit.steps.map(stepStatus) }),
  };
}

const stepStatus = ({ name, container, state, exitCode, startedAt, endedAt }: ObservedInstance) => ({
  name,
  step: stepOf(name),
  container,
  state,
  exitCode: exitCode ?? null,
  startedAt: startedAt ?? null,
  endedAt: endedAt ?? null,
});

const instanceStatus = ({ name, container, state, startedAt, role, image }: ObservedInstance) => ({
  name,
  container,
  state,
  startedAt: startedAt ?? null,
  role,
  image,
});

function controllerStatus({ live, observation }: Live) {
  const controller = live?.controller;
  const state = controller === undefined ? 'down' : controller.state === 'running' ? 'live' : 'degraded';
  const instances = observation.controllers.map(({ name, container, state: itsState, startedAt, image, release }) => ({
    name,
    container,
    state: itsState,
    startedAt: startedAt ?? null,
    role: 'controller',
    image,
    release,
  }));
  return { generation: controller?.release ?? null, state, urls: [], instances };
}

function resolvedOf({ live }: Live) {
  const resolved =
    live?.manifest === undefined ? undefined : resolveEnvironment(live.manifest.inputs.architecture, live.controller.environment);
  return resolved?.ok === true ? resolved.value : undefined;
}

function urlsOf(live: Live): Record<string, string[]> {
  const resolved = resolvedOf(live);
  return resolved === undefined ? {} : addressesOf(resolved);
}

function metricsOf(live: Live): { metrics?: string } {
  const metrics = resolvedOf(live)?.core.metrics;
  return metrics ? { metrics: `http://${metrics.address}:${metrics.port}/targets` } : {};
}

const publishedUrls = (live: Live): string[] =>
  (resolvedOf(live)?.core.publish ?? []).map(({ address, port, tls }) => `${tls ? 'https' : 'http'}://${address}:${port}`);

function statusText(session: Session, { architecture, live, status }: { architecture: string; live: Live; status: Status }): string {
  const paint = paintFor(session.world.stdout.isTerminal, session.world.env);
  const tone: Parameters<typeof styleText>[0] = status.state === 'live' ? 'green' : status.state === 'down' ? 'red' : 'yellow';
  const lines = [`${paint('bold', architecture)}  ${paint(tone, status.state)}${releaseWords(live)}`];
  if (status.held !== undefined) {
    lines.push(
      `  held      release ${short(status.held.release)} can be looked at; changeless up lets it live, changeless drop takes it away`,
    );
    lines.push(...Object.entries(status.held.urls).map(([name, urls]) => `            ${name}  ${urls.join('  ')}`));
  } else if (status.next !== undefined)
    lines.push(`  next      release ${short(status.next.release)} from ${commitWords(status.next.commit)} is being rolled out`);
  if (status.standingBy !== undefined)
    lines.push(
      `  baking    release ${short(status.standingBy.release)} from ${commitWords(status.standingBy.commit)} stands by; changeless rollback goes back to it`,
    );
  const units = live.units.map((unit) => {
    const { urls = [], elsewhere } = (unit.kind === 'app' && status.apps[unit.name]) || {};
    return { unit, words: [...(elsewhere === undefined ? [] : [`, lives at ${elsewhere}`]), ...urls.map((url) => `  ${url}`)].join('') };
  });
  const width = Math.max(...units.map(({ unit }) => unitWords(unit).length), 'controller'.length);
  for (const { unit, words } of units)
    lines.push(
      `  ${unitWords(unit).padEnd(width)}  ${unit.state.padEnd(11)}  ${unitDetail(unit)}${words}`,
      ...trafficLines(unit, flag(session.input, 'routes')).map((line) => `  ${''.padEnd(width)}  ${''.padEnd(11)}  ${line}`),
    );
  for (const step of live.units.flatMap(({ steps }) => steps).filter(({ exitCode = 0 }) => exitCode !== 0))
    lines.push(`  ${paint('red', 'failed')}  ${stepWords(step.owner.name, stepOf(step.name))} ended with exit code ${step.exitCode}`);
  lines.push(`  ${'controller'.padEnd(width)}  ${status.controller.state}`);
  for (const { what } of status.alarms) lines.push(`  ${paint('red', 'alarm')}  ${what}`);
  for (const { app, endsAt } of status.certificates ?? [])
    lines.push(
      `  ${paint('yellow', 'certificate')}  ${app}'s ends at ${endsAt}; changeless secret rotate, or for localhost: secret certificate ${app}`,
    );
  for (const { what } of status.drift) lines.push(`  ${paint('yellow', 'drift')}  ${what}`);
  if (status.state === 'down') lines.push('  next  changeless up');
  else if (status.drift.length > 0) lines.push('  next  changeless verify');
  return lines.join('\n');
}

const releaseWords = ({ live }: Live): string =>
  live === undefined
    ? ''
    : `  release ${short(live.controller.release)} from ${commitWords(live.controller.commit)}, ${live.controller.environment}`;

const unitDetail = (unit: LiveUnit): string =>
  unit.generation === undefined
    ? '-'
    : [`generation ${short(unit.generation)}`, counted(unit.instances.length, 'container'), ...unit.scaled.map(scaledWords)].join(', ');

/** What goes through it; with `routes`, each of them that had answers. */
function trafficLines(unit: LiveUnit, routes: boolean): string[] {
  const traffic = trafficOf(unit);
  if (traffic === undefined || unit.kind === 'store') return [];
  const byRoute = Object.entries(traffic.routes).map(([name, answered]) => `  ${name}  ${answeredWords(answered)}`);
  return [trafficWords(traffic), ...(routes ? byRoute : [])];
}

const scaledWords = ({ service, count, min, max }: LiveUnit['scaled'][number]): string => `${service} ${count} (${min} to ${max})`;
