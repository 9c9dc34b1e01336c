import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { InboxFiles } from '../../src/gateway/inbox-files.ts';
import { inboxNames } from '../../src/gateway/inbox-name.ts';
import { InboxReader } from '../../src/gateway/inbox-reader.ts';
import { InboxWriter } from '../../src/gateway/inbox-writer.ts';
import type { Delivery } from '../../src/ledger/delivery.ts';

export const deliveryOf = (id: string, bodyBytes = 20): Delivery => ({
  source: 'github',
  id,
  kind: 'push',
  repository: 'octo/streaming',
  branch: 'main',
  receivedAt: '2026-01-01T00:00:00.000Z',
  body: Buffer.alloc(bodyBytes, `${id}.`),
});

let made = 0;

/** Names of files that no other writer of this process gets. */
export const countedNames = () =>
  inboxNames({ clock: () => new Date(made), random: (characters) => String((made += 1)).padStart(characters, '0') });

export const writerOf = (files: InboxFiles, fileBytes?: number): InboxWriter =>
  new InboxWriter({ files, newName: countedNames(), ...(fileBytes !== undefined && { fileBytes }) });

/** All that can be read, in order. */
export async function readAll(files: InboxFiles, { taken = new Map<string, number>(), chunkBytes = 4096 } = {}): Promise<Delivery[]> {
  const reader = new InboxReader(files, chunkBytes);
  const all: Delivery[] = [];
  for (let batch = await reader.next(taken); batch; batch = await reader.next(taken)) {
    taken.set(batch.file, batch.to);
    all.push(...batch.deliveries);
  }
  return all;
}

/** A folder of its own, gone after the test. */
export function inboxFolder(context: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'changeless-inbox-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
