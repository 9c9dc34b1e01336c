import { statfs } from 'node:fs/promises';
import { endGit, gitEnd, startGit } from './limited-git.ts';
import { receivedRef, type GitRepository } from './git-repository.ts';
import { bandIn, flushPkt, payloadsIn, pktLine } from './pkt-line.ts';
import type { BranchMove } from './push-commands.ts';

export type Objects = {
  moves: readonly BranchMove[];
  shallow: readonly string[];
  /** The pack, from its first byte. */
  pack: AsyncIterable<Buffer>;
  /** Told apart from all others by it. */
  name: string;
};

/**
 * `refs`: what holds the objects until they are a delivery's, by branch. `refused`: why a branch's objects were not taken.
 * `unpacked`: why none were. `notes`: what git said of it.
 */
export type Received = { refs: Map<string, string>; refused: Map<string, string>; unpacked?: string; notes: string[] };

/** A push must leave this much of the disk: the inbox and the ledger may be on it. */
const spareBytes = 1024 * 1024 * 1024;

/**
 * Has git take the objects of a push: checked one by one (fsck), whole (everything that a tip needs is there), on disk; all or none.
 * What is moved by it is a name of our own that nobody sees: whether the branch moves is decided afterwards. Rejects when the pack
 * breaks off.
 */
export async function receiveObjects(repository: GitRepository, objects: Objects): Promise<Received> {
  const nothing = { refs: new Map<string, string>(), refused: new Map<string, string>(), notes: [] };
  if (!(await hasSpace(repository))) return { ...nothing, unpacked: 'no space is left on the disk for pushes' };
  const { limits, folder } = repository;
  const child = startGit({ arguments: ['receive-pack', '--stateless-rpc', folder], repository: folder, stdin: 'pipe', limits });
  const ended = gitEnd(child, limits);
  const refOf = (index: number): string => `${receivedRef}${objects.name}/${index}`;
  try {
    await feed(child.stdin, [requestOf(objects, refOf)], objects.pack);
  } catch (error) {
    endGit(child);
    await ended;
    throw error;
  }
  const { bytes, stderr } = await ended;
  const notes = notesIn(`${bandIn(bytes, 2).toString('utf8')}\n${stderr}`);
  return readReport(bytes, { ...nothing, notes }, (ref) => objects.moves.find((_, index) => refOf(index) === ref)?.branch);
}

async function hasSpace({ folder, limits }: GitRepository): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize > spareBytes + limits.packBytes;
}

const none = '0'.repeat(40);

function requestOf({ moves, shallow }: Objects, refOf: (index: number) => string): Buffer {
  const commands = moves.map(
    ({ after }, index) => `${none} ${after} ${refOf(index)}${index === 0 ? '\0report-status side-band-64k quiet' : ''}`,
  );
  return Buffer.concat([...shallow.map((commit) => pktLine(`shallow ${commit}`)), ...commands.map(pktLine), flushPkt]);
}

/** Git that has ended, or will have no more of it, is no reason to break off: what it said is the answer. The rest is read all the same. */
async function feed(stdin: NodeJS.WritableStream | null, first: readonly Buffer[], pack: AsyncIterable<Buffer>): Promise<void> {
  let isOpen = true;
  stdin?.on('error', () => (isOpen = false));
  stdin?.on('close', () => (isOpen = false));
  const write = async (chunk: Buffer): Promise<void> => {
    if (!isOpen || stdin?.write(chunk) !== false) return;
    await new Promise<void>((resolve) => {
      stdin.once('drain', resolve);
      stdin.once('close', resolve);
    });
  };
  for (const chunk of first) await write(chunk);
  for await (const chunk of pack) await write(chunk);
  stdin?.end();
}

function readReport(said: Buffer, received: Received, branchOf: (ref: string) => string | undefined): Received {
  received.unpacked = 'git did not come to an end with it';
  for (const payload of payloadsIn(bandIn(said, 1))) {
    const [, word, ref = '', why = ''] = /^(unpack|ok|ng) (\S+) ?(.*)$/.exec(payload.toString().trim()) ?? [];
    const branch = branchOf(ref);
    if (word === 'unpack' && ref === 'ok') delete received.unpacked;
    if (word === 'unpack' && ref !== 'ok') received.unpacked = `${ref} ${why}`.trim();
    if (word === 'ok' && branch !== undefined) received.refs.set(branch, ref);
    if (word === 'ng' && branch !== undefined) received.refused.set(branch, why);
  }
  return received;
}

const notesIn = (stderr: string): string[] =>
  stderr
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .slice(0, 20);
