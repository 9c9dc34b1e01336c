import { isBranchName } from '../../architecture/branch-name.ts';
import { isCommit, isNoCommit } from '../git-names.ts';
import { readPkt } from './pkt-line.ts';

/** What a pusher asks for one ref: to be moved from `before` to `after`, each a commit or zeros. */
export type PushCommand = { ref: string; before: string; after: string };

/** `shallow`: where the pusher's own history is cut off. `rest`: what came of the pack already. */
export type PushCommands = { commands: PushCommand[]; capabilities: ReadonlySet<string>; shallow: string[]; rest: Buffer };

/** Far more than a push of every branch of a repository needs. */
const mostBytes = 256 * 1024;
const mostCommands = 100;

/**
 * Reads the list with which a push begins (gitprotocol-pack, *update-request*), and no more of the body than it takes. A sentence
 * that says what is wrong with it, where it is none.
 */
export async function readCommands(body: AsyncIterator<Buffer>): Promise<PushCommands | string> {
  const read: PushCommands = { commands: [], capabilities: new Set(), shallow: [], rest: Buffer.alloc(0) };
  let total = 0;
  for (;;) {
    const pkt = readPkt(read.rest);
    if (pkt.kind === 'wrong') return 'what was sent is not git’s protocol';
    if (pkt.kind === 'cut') {
      const next = await body.next();
      if (next.done) return total === 0 ? read : 'the list of refs ends before its end';
      total += next.value.length;
      read.rest = Buffer.concat([read.rest, next.value]);
      continue;
    }
    const at = total - read.rest.length;
    read.rest = read.rest.subarray(pkt.bytes);
    if (pkt.kind === 'flush') return read;
    if (at > mostBytes || read.commands.length >= mostCommands) return `more than ${mostCommands} refs are pushed at a time`;
    const why = readLine(pkt.payload, read);
    if (why !== undefined) return why;
  }
}

function readLine(payload: Buffer, read: PushCommands): string | undefined {
  const text = payload.toString('utf8').replace(/\n$/, '');
  const [, shallow] = /^shallow ([0-9a-f]{40})$/.exec(text) ?? [];
  if (shallow !== undefined) {
    read.shallow.push(shallow);
    return undefined;
  }
  // Behind the first command, and a NUL, is what the pusher's git can do.
  const [line = '', said] = text.split('\0');
  if (said !== undefined && read.commands.length === 0) read.capabilities = new Set(said.split(' ').filter(Boolean));
  const [, before, after, ref] = /^([0-9a-f]{40}) ([0-9a-f]{40}) (.+)$/s.exec(line) ?? [];
  if (before === undefined || after === undefined || ref === undefined) return 'a line of the list of refs is no command';
  read.commands.push({ ref, before, after });
  return undefined;
}

/** A branch to be moved. Without `before` it is made. */
export type BranchMove = { branch: string; before?: string; after: string };

const heads = 'refs/heads/';

/** The move that a command asks for, or why none of it is done, in the few words git shows beside the ref. */
export function judgeCommand({ ref, before, after }: PushCommand): BranchMove | string {
  if (!ref.startsWith(heads)) return 'only branches are taken (refs/heads/…)';
  const branch = ref.slice(heads.length);
  if (!isBranchName(branch)) return 'this is no name of a branch';
  if (isNoCommit(after)) return 'branches are not deleted here';
  if (!isCommit(before) || !isCommit(after)) return 'this is no id of a commit';
  return { branch, after, ...(!isNoCommit(before) && { before }) };
}
