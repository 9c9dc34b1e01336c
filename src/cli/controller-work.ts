import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { ownContainer } from '../controller/self.ts';
import { runController } from '../controller/run-controller.ts';
import type { ReleaseId } from '../digest.ts';
import { identityFolder, type Engine } from '../engine/engine.ts';
import type { RecordedEvent } from '../events.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { inboxFilesIn } from '../gateway/inbox-files.ts';
import { InboxReader } from '../gateway/inbox-reader.ts';
import { inboxFolder, ledgerFolder } from '../kept-volumes.ts';
import { takesInbox } from './takes-inbox.ts';
import { openSqliteLedger } from '../ledger/sqlite-ledger.ts';
import { parseManifest } from '../release/manifest-codec.ts';
import { environmentPath, manifestPath, type Manifest } from '../release/manifest.ts';
import { done, failed, type Result } from '../result.ts';
import { Secret } from '../secret.ts';
import { secretOpener } from '../secrets/open-secret.ts';

const ledgerPath = `${ledgerFolder}/ledger.db`;

/** What the ledger is asked: the newest `limit` rollouts, deliveries, or events (of one release when given). */
export type LedgerQuestion = { about: (typeof ledgerSubjects)[number]; limit: number; release?: ReleaseId };

const ledgerSubjects = ['log', 'events', 'deliveries'] as const;

export const isLedgerSubject = (word: string | undefined): word is LedgerQuestion['about'] => ledgerSubjects.some((each) => each === word);

/** The answer as JSON text. Works inside a container that mounts the ledger's volume. */
export async function tellFromLedger({ about, limit, release }: LedgerQuestion): Promise<Result<string>> {
  const opened = await openSqliteLedger(ledgerPath);
  if (!opened.ok) return opened;
  const ledger: Ledger = opened.value;
  const told = await toldBy(ledger, { about, limit, ...(release !== undefined && { release }) });
  await ledger.close();
  return done(JSON.stringify(told));
}

function toldBy(ledger: Ledger, { about, limit, release }: LedgerQuestion): Promise<unknown> {
  if (about === 'log') return ledger.rollouts(limit);
  if (about === 'deliveries') return ledger.deliveries({ limit });
  return ledger.events({ limit, ...(release !== undefined && { release }) });
}

export type ControllerWork = { engine: Engine; print: (event: RecordedEvent) => void; signal: AbortSignal };

/** Runs the controller of the release image this process is in, until the signal is aborted. */
export async function runBakedController({ engine, print, signal }: ControllerWork): Promise<Result<void>> {
  const [baked, ledger] = await Promise.all([readBaked(), openSqliteLedger(ledgerPath)]);
  if (!baked.ok) return baked;
  if (!ledger.ok) return ledger;
  const self = ownContainer() ?? `process-${process.pid}`;
  const openSecret = secretOpener(readIdentity);
  const inbox = takesInbox(baked.value.manifest) ? { inbox: new InboxReader(inboxFilesIn(inboxFolder)) } : {};
  const result = await runController({ engine, ledger: ledger.value, ...baked.value, self, print, signal, openSecret, ...inbox });
  await ledger.value.close();
  return result;
}

/** Each time: another one may be handed over while this controller runs. */
async function readIdentity(): Promise<Secret | undefined> {
  const files = await readdir(identityFolder).catch(() => []);
  const keys = await Promise.all(files.map((file) => readFile(path.join(identityFolder, file), 'utf8')));
  return keys.length === 0 ? undefined : new Secret(keys.join('\n'));
}

/** What the release image holds besides this program. */
async function readBaked(): Promise<Result<{ manifest: Manifest; environment: string }>> {
  const [manifestBytes, environmentText] = await Promise.all([
    readFile(manifestPath).catch(() => undefined),
    readFile(environmentPath, 'utf8').catch(() => undefined),
  ]);
  if (manifestBytes === undefined || environmentText === undefined)
    return failed({ code: 'USAGE', what: 'the controller runs inside a release image only', next: 'changeless up' });
  const manifest = parseManifest(manifestBytes);
  if (!manifest.ok) return manifest;
  return done({ manifest: manifest.value, environment: JSON.parse(environmentText) as string });
}
