import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { controllerId } from '../controller/self.ts';
import { runController } from '../controller/run-controller.ts';
import { identityFolder, type Engine } from '../engine/engine.ts';
import type { RecordedEvent } from '../events.ts';
import type { JobStepName } from '../engine/job-steps.ts';
import { readKept, type KeptLine, type KeptLogs } from '../jobs/kept-log.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { inboxFilesIn } from '../gateway/inbox-files.ts';
import { InboxReader } from '../gateway/inbox-reader.ts';
import { inboxFolder, ledgerFolder, logsFolder } from '../kept-volumes.ts';
import { takesInbox } from './takes-inbox.ts';
import { openSqliteLedger } from '../ledger/sqlite-ledger.ts';
import { parseManifest } from '../release/manifest-codec.ts';
import { environmentPath, manifestPath, type Manifest } from '../release/manifest.ts';
import { done, failed, type Result } from '../result.ts';
import { Secret } from '../secret.ts';
import { secretOpener } from '../secrets/open-secret.ts';
import type { LedgerQuestion } from './ledger-question.ts';

const ledgerPath = `${ledgerFolder}/ledger.db`;

/** The answer as JSON text. Works inside a container that mounts the ledger's volume. */
export async function tellFromLedger(question: LedgerQuestion): Promise<Result<string>> {
  const opened = await openSqliteLedger(ledgerPath);
  if (!opened.ok) return opened;
  const told = await answerFrom(opened.value, { folder: logsFolder }, question);
  await opened.value.close();
  return done(JSON.stringify(told));
}

async function keptLines(logs: KeptLogs, { run, step }: JobStepName): Promise<KeptLine[]> {
  const lines: KeptLine[] = [];
  for await (const line of readKept(logs, run, step)) lines.push(line);
  return lines;
}

export async function answerFrom(ledger: Ledger, logs: KeptLogs, question: LedgerQuestion): Promise<unknown> {
  switch (question.about) {
    case 'log':
      return ledger.rollouts(question.limit);
    case 'events':
      return ledger.events({ limit: question.limit, ...(question.release !== undefined && { release: question.release }) });
    case 'deliveries':
      return ledger.deliveries({ limit: question.limit });
    case 'runs':
      if (question.run === undefined) return ledger.runs.list({ limit: question.limit });
      return [await ledger.runs.find(question.run)].filter((run) => run !== undefined);
    case 'kept':
      return keptLines(logs, question);
  }
}

export type ControllerWork = { engine: Engine; print: (event: RecordedEvent) => void; signal: AbortSignal };

/** Runs the controller of the release image this process is in, until the signal is aborted. */
export async function runBakedController({ engine, print, signal }: ControllerWork): Promise<Result<void>> {
  const [baked, ledger] = await Promise.all([readBaked(), openSqliteLedger(ledgerPath)]);
  if (!baked.ok) return baked;
  if (!ledger.ok) return ledger;
  const self = controllerId();
  const openSecret = secretOpener(readIdentity);
  const inbox = takesInbox(baked.value.manifest) ? { inbox: new InboxReader(inboxFilesIn(inboxFolder)) } : {};
  const own = { self, print, signal, openSecret, logs: logsFolder, ...inbox };
  const result = await runController({ engine, ledger: ledger.value, ...baked.value, ...own });
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
