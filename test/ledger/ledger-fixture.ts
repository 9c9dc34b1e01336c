import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ReleaseId } from '../../src/digest.ts';
import type { RecordedEvent } from '../../src/events.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { openSqliteLedger, type LedgerOptions } from '../../src/ledger/sqlite-ledger.ts';

export const leaseMs = 10_000;

export const releaseOf = (letter: string): ReleaseId => letter.repeat(64).slice(0, 64) as ReleaseId;

/** A clock that stands still until it is moved. */
export class Clock {
  #at = Date.UTC(2026, 0, 1);

  readonly now = (): string => new Date(this.#at).toISOString();

  pass(durationMs: number): void {
    this.#at += durationMs;
  }
}

export const claimBy = (ledger: Ledger, controller: string, release = controller[0] ?? 'a') =>
  ledger.claim({ release: releaseOf(release), commit: 'uncommitted', environment: 'local', controller, leaseMs });

/** A path for a ledger in a folder of its own, gone after the test. */
export function ledgerFile(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'changeless-ledger-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'ledger.sqlite');
}

export async function opened(file: string, options: LedgerOptions = {}): Promise<Ledger> {
  const result = await openSqliteLedger(file, options);
  if (!result.ok) throw new Error(`${result.problem.what}: ${result.problem.why}`);
  return result.value;
}

export const lost = (instance: string): RecordedEvent => ({
  type: 'instance-lost',
  unit: { kind: 'app', name: 'catalog' },
  instance,
  what: 'it died',
  at: '2026-01-01T00:00:00.000Z',
});

export const standingBy = (release: string): RecordedEvent => ({
  type: 'controller-standing-by',
  release: releaseOf(release),
  for: releaseOf('z'),
  at: '2026-01-01T00:00:00.000Z',
});
