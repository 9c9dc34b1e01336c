import { readFile } from 'node:fs/promises';
import type { Ledger } from '../../ledger/ledger.ts';
import { decodeManifest } from '../../release/manifest-codec.ts';
import { environmentPath, manifestPath, type Manifest } from '../../release/manifest.ts';
import { done, failed, type Result } from '../../result.ts';
import { type CommandResult, type Session, textOption } from '../command.ts';
import { numberOption } from '../number-option.ts';

const ledgerPath = '/ledger/ledger.db';

/** `controller`: what the release image runs. `log` and `events` print what the ledger holds, as JSON. */
export async function run(session: Session): CommandResult {
  const [question] = session.input.arguments;
  if (question === undefined) return converge(session);
  if (question !== 'log' && question !== 'events')
    return failed({ code: 'USAGE', what: `the controller has no ${question} to tell`, next: 'controller log, or controller events' });
  const limit = numberOption(session.input, 'limit', 100);
  if (!limit.ok) return limit;
  const ledger = await openLedger();
  if (!ledger.ok) return ledger;
  const told = question === 'log' ? await ledger.value.rollouts(limit.value) : await ledger.value.events(filterOf(session, limit.value));
  await ledger.value.close();
  session.world.stdout.write(`${JSON.stringify(told)}\n`);
  return done(0);
}

function filterOf(session: Session, limit: number): Parameters<Ledger['events']>[0] {
  const release = textOption(session.input, 'release');
  return { limit, ...(release !== undefined && { release: release as Manifest['release'] }) };
}

async function openLedger(): Promise<Result<Ledger>> {
  const { openSqliteLedger } = await import('../../ledger/sqlite-ledger.ts');
  return openSqliteLedger(ledgerPath);
}

async function converge(session: Session): CommandResult {
  const { world } = session;
  const [{ runController }, { ownContainer }, baked, engine, ledger] = await Promise.all([
    import('../../controller/run-controller.ts'),
    import('../../controller/self.ts'),
    readBaked(),
    world.engine(),
    openLedger(),
  ]);
  if (!baked.ok) return baked;
  if (!engine.ok) return engine;
  if (!ledger.ok) return ledger;
  const { manifest, environment } = baked.value;
  const result = await runController({
    engine: engine.value,
    ledger: ledger.value,
    manifest,
    environment,
    self: ownContainer() ?? `process-${process.pid}`,
    print: (event) => world.stdout.write(`${JSON.stringify(event)}\n`),
    signal: world.terminated,
  });
  await ledger.value.close();
  return result.ok ? done(0) : result;
}

/** What the release image holds besides this program. */
async function readBaked(): Promise<Result<{ manifest: Manifest; environment: string }>> {
  const [manifestBytes, environmentText] = await Promise.all([
    readFile(manifestPath).catch(() => undefined),
    readFile(environmentPath, 'utf8').catch(() => undefined),
  ]);
  if (manifestBytes === undefined || environmentText === undefined)
    return failed({ code: 'USAGE', what: 'the controller runs inside a release image only', next: 'changeless up' });
  const manifest = decodeManifest(manifestBytes);
  if (!manifest.ok) return manifest;
  return done({ manifest: manifest.value, environment: JSON.parse(environmentText) as string });
}
