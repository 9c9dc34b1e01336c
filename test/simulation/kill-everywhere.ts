import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Manifest } from '../../src/release/manifest.ts';
import { brokenChain, brokenRules, missingSteps, unexplained } from './check-model.ts';
import { newcomer, scenarios, type Scenario } from './kill-scenarios.ts';
import { sealSketch } from './sketch.ts';
import { comesToRest } from './rest.ts';
import { SimulatedWorld } from './simulated-world.ts';

/**
 * Who else is there when the controller of a rollout is killed, and whether it comes back: a second `up` that comes while
 * its lease lasts is held by it, one that comes afterwards takes over. The killed one is down for `downMs`.
 */
export type Company = { name: string; downMs: number; second?: { afterMs: number } };

type Disturbed = { world: SimulatedWorld; releases: Manifest[]; after: Manifest; name: string };

/** The scenario in a world of its own, up to where its last release's controller is started. */
async function begin({ before, after }: Scenario): Promise<Disturbed> {
  const world = await SimulatedWorld.make(1);
  const releases: Manifest[] = [];
  for (const sketch of before) {
    const manifest = sealSketch(world.engine, sketch);
    await world.start(manifest);
    assert.ok(await comesToRest(world));
    releases.push(manifest);
  }
  world.crossings.clear();
  const manifest = sealSketch(world.engine, after);
  return { world, releases: [...releases, manifest], after: manifest, name: await world.start(manifest) };
}

async function boundaries(scenario: Scenario): Promise<number> {
  const { world, name } = await begin(scenario);
  assert.ok(await comesToRest(world));
  const count = world.crossings.get(name) ?? 0;
  world.end();
  return count;
}

/** Kills the controller at one boundary, lets the company come, and gives what the model finds wrong when all is at rest. */
async function disturb(scenario: Scenario, company: Company, boundary: number): Promise<string[]> {
  const { world, releases, name } = await begin(scenario);
  world.downMs = company.downMs;
  world.killOrder = { left: boundary, of: name };
  const killed = await world.time.until(() => world.killOrder === undefined, { limitMs: 120_000, everyMs: 50 });
  if (company.second) {
    await world.time.pass(company.second.afterMs);
    releases.push(newcomer(world.engine));
    await world.start(releases.at(-1)!);
  }
  const rested = await comesToRest(world);
  const outages = world.engine.world.outages.filter(({ owner }) => owner.kind !== scenario.gap);
  const before = scenario.before.length > 0 ? releases : [undefined];
  const findings = [
    ...(killed ? [] : ['it was not killed']),
    ...(rested ? [] : [`it never came to rest: ${world.engine.world.inventory().join(' | ')}`]),
    ...world.findings,
    ...(await brokenRules(world)),
    ...(await missingSteps(world)),
    ...(await brokenChain(world.ledger)),
    ...unexplained(outages, before),
  ];
  world.end();
  return findings;
}

/** A test for each scenario: the controller is killed at every boundary there is, in this company. */
export function killEverywhere(company: Company): void {
  for (const scenario of scenarios)
    void test(`${scenario.name}: the controller may be killed at every boundary; ${company.name}`, async (context) => {
      const count = await boundaries(scenario);
      for (let boundary = 0; boundary < count; boundary += 1)
        assert.deepEqual(await disturb(scenario, company, boundary), [], `killed at boundary ${boundary}`);
      context.diagnostic(`${count} kills`);
    });
}
