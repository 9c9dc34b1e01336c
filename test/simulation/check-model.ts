import type { Observation, ObservedInstance } from '../../src/engine/engine.ts';
import type { Outage } from '../../src/engine/memory/availability.ts';
import type { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import { slotDigest } from '../../src/engine/spec-digest.ts';
import type { Ledger, RolloutRecord } from '../../src/ledger/ledger.ts';
import type { Manifest } from '../../src/release/manifest.ts';
import { desiredOf, type Desired, type DesiredUnit, type Seat } from '../../src/rollout/desired.ts';
import { keepsRecord } from '../../src/rollout/situation.ts';
import { isUnit } from '../../src/rollout/unit-state.ts';

export type Checked = { engine: MemoryEngine; ledger: Ledger; manifests: ReadonlyMap<string, Manifest> };

/**
 * The model: what must be so when everything has come to rest, whatever happened before. Gives a sentence for each
 * thing that is not: exactly one release is live and whole, nothing else is there, and the ledger is consistent.
 */
export async function brokenRules({ engine, ledger, manifests }: Checked): Promise<string[]> {
  const rollouts = await ledger.rollouts(1000);
  const live = rollouts.find(({ outcome }) => outcome === 'live');
  const manifest = live && manifests.get(live.release);
  const [architecture = 'streaming'] = [...manifests.values()].map(({ inputs }) => inputs.architecture.name);
  const observed = await engine.observe(architecture);
  if (!observed.ok) return ['the engine does not answer'];
  const broken = manifest ? liveRules(desiredFor(manifest), observed.value) : emptyRules(observed.value);
  const controllers = observed.value.controllers.map(({ release }) => release);
  if (live && (controllers.length !== 1 || controllers[0] !== live.release))
    broken.push(
      `controllers are there of ${controllers.map((each) => each.slice(0, 8)).join(', ')}, not one of ${live.release.slice(0, 8)}`,
    );
  if (manifest)
    for (const { owner } of desiredFor(manifest).units)
      if (engine.world.serving(owner, architecture).length !== 1) broken.push(`${owner.kind} ${owner.name} does not answer`);
  if (manifest) broken.push(...secretRules(desiredFor(manifest), observed.value, engine));
  return [...broken, ...(await ledgerRules(ledger, rollouts, new Set(observed.value.controllers.map(({ container }) => container))))];
}

const rendered = new WeakMap<Manifest, Desired>();

/** What the release is to be, rendered once. */
export function desiredFor(manifest: Manifest): Desired {
  const known = rendered.get(manifest);
  if (known) return known;
  const desired = desiredOf(manifest, 'local');
  if (!desired.ok) throw new Error(desired.problem.what);
  rendered.set(manifest, desired.value);
  return desired.value;
}

/** Requests that were not answered although each of the releases has the owner, and no mishap but a controller took it away. */
export function unexplained(outages: readonly Outage[], releases: readonly (Manifest | undefined)[]): string[] {
  const has = (manifest: Manifest | undefined, owner: Outage['owner']): boolean =>
    manifest !== undefined && desiredFor(manifest).units.some((unit) => isUnit(unit.owner, owner));
  return outages
    .filter(({ owner, by }) => !/^(kill|stop engine)/.test(by) && releases.every((manifest) => has(manifest, owner)))
    .map(({ owner, by }) => `${owner.kind} ${owner.name} stopped answering by ${by}`);
}

function liveRules(desired: Desired, observed: Observation): string[] {
  const volumes = new Set(observed.volumes.map(({ name }) => name));
  return [
    ...differences(
      'network',
      desired.networks.map(({ name }) => name),
      observed.networks.map(({ name }) => name),
    ),
    ...desired.volumes.filter(({ name }) => !volumes.has(name)).map(({ name }) => `volume ${name} is missing`),
    ...slotRules(desired, observed),
    ...desired.units.flatMap((unit) => unitRules(unit, observed)),
    ...observed.instances
      .filter(({ owner }) => !desired.units.some((unit) => isUnit(unit.owner, owner)))
      .map(({ name }) => `instance ${name} is nobody's`),
  ];
}

/** What is too much and what is missing, by name. */
function differences(what: string, wanted: readonly string[], there: readonly string[]): string[] {
  return [
    ...wanted.filter((name) => !there.includes(name)).map((name) => `${what} ${name} is missing`),
    ...there.filter((name) => !wanted.includes(name)).map((name) => `${what} ${name} is left over`),
  ];
}

function slotRules({ units }: Desired, observed: Observation): string[] {
  const { slots, instances } = observed;
  const wanted = new Map(
    units.flatMap(({ pathSlot, seats }) => [pathSlot, ...seats.blue.slots, ...seats.green.slots]).map((slot) => [slot.name, slot]),
  );
  const names = slots.map(({ name }) => name);
  const wrong = slots.filter(({ name, ready, spec }) => {
    const slot = wanted.get(name);
    const occupied = instances.some((instance) => instance.slot === name);
    return slot && !keepsRecord(name, observed) && (!ready || (!occupied && spec !== slotDigest(slot)));
  });
  return [
    ...differences('slot', [...wanted.keys()], names),
    ...wrong.map(({ name, ready }) => `slot ${name} is ${ready ? 'another' : 'down'}`),
  ];
}

function unitRules(unit: DesiredUnit, { instances }: Observation): string[] {
  const own = instances.filter(({ owner }) => isUnit(owner, unit.owner));
  const [path, ...more] = own.filter(({ role }) => role === 'path');
  const title = `${unit.owner.kind} ${unit.owner.name}`;
  if (!path || more.length > 0) return [`${title} has ${more.length + (path ? 1 : 0)} paths`];
  const seat = unit.seats[path.colour ?? 'blue'];
  const members = own.filter(({ role }) => role !== 'path' && role !== 'step');
  const isWrong = ({ name, state, body, image }: ObservedInstance): boolean =>
    state !== 'running' || body !== unit.body || seat.instances.find((each) => each.name === name)?.image !== image;
  return [
    ...(path.state === 'running' && path.path?.phase === 'serving' && path.generation === unit.generation
      ? []
      : [`${title}: its path is ${path.state}, ${path.path?.phase}, of generation ${path.generation.slice(0, 8)}`]),
    ...differences(
      `${title}: instance`,
      seat.instances.map(({ name }) => name),
      members.map(({ name }) => name),
    ),
    ...stepRules(seat.steps, { title, body: unit.body, there: own.filter(({ role }) => role === 'step') }),
    ...members.filter(isWrong).map(({ name, state }) => `${title}: ${name} is ${state}, or not what it should be`),
  ];
}

/** Who runs has found the value of the version that the release names. */
function secretRules({ units }: Desired, { instances }: Observation, { world }: MemoryEngine): string[] {
  const seats = units.flatMap(({ seats: { blue, green } }) => [...blue.instances, ...green.instances]);
  return seats.flatMap(({ name, secrets = [] }) => {
    if (!instances.some((each) => each.name === name && each.state === 'running')) return [];
    const found = world.secretsOf(name);
    const wrong = secrets.filter(({ file, version }) => found[file] !== `value ${version}`);
    return wrong.map(({ file, version }) => `${name} finds ${found[file]} in ${file}, not version ${version}`);
  });
}

type Steps = { title: string; body: string; there: readonly ObservedInstance[] };

/** What is there of steps has ended, those before the switch well. A record may be lost: with a place, or to a body that came while this one was down. */
function stepRules(steps: Seat['steps'], { title, body, there }: Steps): string[] {
  return there.flatMap((run) => {
    const step = steps.find(({ instance }) => instance.name === run.name);
    if (step && run.body === body && run.state === 'exited' && (step.when === 'after' || run.exitCode === 0)) return [];
    return [`${title}: step ${run.name} is ${run.state} with ${run.exitCode}, or nobody's`];
  });
}

/** Steps of the live release that nobody ran. */
export async function missingSteps({ engine, ledger, manifests }: Checked): Promise<string[]> {
  const live = (await ledger.rollouts(1000)).find(({ outcome }) => outcome === 'live');
  const manifest = live && manifests.get(live.release);
  const observed = manifest && (await engine.observe(manifest.inputs.architecture.name));
  if (!manifest || !observed?.ok) return [];
  return desiredFor(manifest).units.flatMap(({ owner, seats }) => {
    const own = observed.value.instances.filter((instance) => isUnit(instance.owner, owner));
    const seat = seats[own.find(({ role }) => role === 'path')?.colour ?? 'blue'];
    const missing = seat.steps.filter(({ instance }) => !own.some(({ name }) => name === instance.name));
    return missing.map(({ instance }) => `step ${instance.name} was not run`);
  });
}

function emptyRules({ networks, slots, instances }: Observation): string[] {
  return [...networks, ...slots, ...instances].map(({ name }) => `${name} is left of a release that never was live`);
}

/** Whether each entry of the ledger is what was written after the one before. */
export async function brokenChain(ledger: Ledger): Promise<string[]> {
  const brokenAt = await ledger.verifyChain();
  return brokenAt === undefined ? [] : [`the ledger's chain is broken at entry ${brokenAt}`];
}

async function ledgerRules(ledger: Ledger, rollouts: readonly RolloutRecord[], there: ReadonlySet<string>): Promise<string[]> {
  const events = await ledger.events({ type: 'rollout-ended', limit: 10_000 });
  const told = events.flatMap((event) => (event.type === 'rollout-ended' && event.token !== undefined ? [event.token] : []));
  return [
    ...rollouts.filter(({ outcome, endedAt }) => !outcome || !endedAt).map(({ token }) => `rollout ${token} has no outcome`),
    ...rollouts.flatMap(({ token, outcome, controller }) => {
      const times = told.filter((each) => each === token).length;
      // Whoever's caller has read the end, and removed it, need not live to write it down.
      return times === 1 || (times === 0 && !there.has(controller))
        ? []
        : [`that rollout ${token} ended ${outcome} is told ${times} times`];
    }),
  ];
}
