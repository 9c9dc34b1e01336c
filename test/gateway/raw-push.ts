import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { deflateSync } from 'node:zlib';
import { bandIn, flushPkt, payloadsIn, pktLine } from '../../src/gateway/git/pkt-line.ts';
import { password, type Clone } from './git-fixture.ts';

export const none = '0'.repeat(40);

export type Command = [before: string, after: string, ref: string];

const can = 'report-status side-band-64k';

/** The body of a push as git would send it, with whatever commands. */
export const bodyOf = (commands: readonly Command[], pack: Buffer = Buffer.alloc(0), capabilities = can): Buffer =>
  Buffer.concat([
    ...commands.map(([before, after, ref], index) => pktLine(`${before} ${after} ${ref}${index === 0 ? `\0 ${capabilities}` : ''}`)),
    flushPkt,
    pack,
  ]);

/** All that a commit needs, as a pack. */
export const packOf = ({ folder }: Clone, commit: string): Buffer =>
  execFileSync('git', ['-C', folder, 'pack-objects', '--stdout', '--revs', '-q'], { input: `${commit}\n`, maxBuffer: 2 ** 30 });

export const authorization = `Basic ${Buffer.from(`who:${password}`).toString('base64')}`;

export type RawAnswer = { status: number; report: string[]; shown: string };

export async function rawPush(port: number, body: Buffer, headers: Record<string, string> = {}): Promise<RawAnswer> {
  const response = await fetch(`http://127.0.0.1:${port}/git/shop.git/git-receive-pack`, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { authorization, 'content-type': 'application/x-git-receive-pack-request', ...headers },
  });
  return { status: response.status, ...bandsIn(Buffer.from(await response.arrayBuffer())) };
}

function bandsIn(answer: Buffer): Omit<RawAnswer, 'status'> {
  const report = payloadsIn(bandIn(answer, 1)).map((payload) => payload.toString().trim());
  return { report, shown: bandIn(answer, 2).toString() };
}

/** The beginning of a push that does not come to its end. */
export function halfPush(port: number, part: Buffer, saidBytes: number): Socket {
  const head = [
    'POST /git/shop.git/git-receive-pack HTTP/1.1',
    'host: x',
    `authorization: ${authorization}`,
    `content-length: ${saidBytes}`,
  ];
  const socket = connect(port, '127.0.0.1')
    .on('error', () => {})
    .resume();
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  socket.write(part);
  return socket;
}

/** A pack with a blob that a few kilobytes say is as long as wanted: copies of a megabyte of zeros. */
export function deltaBomb(megabytes: number): Buffer {
  const base = Buffer.alloc(1024 * 1024);
  const id = createHash('sha1').update(`blob ${base.length}\0`).update(base).digest();
  // Copy 1 MB from 0: an opcode with the flags of three bytes of length.
  const copies = Array.from({ length: megabytes }, () => Buffer.from([0x80 | 0x40, 0x10]));
  const delta = Buffer.concat([sizeOf(base.length), sizeOf(megabytes * base.length), ...copies]);
  const head = Buffer.from([0x50, 0x41, 0x43, 0x4b, 0, 0, 0, 2, 0, 0, 0, 2]);
  const pack = Buffer.concat([head, entry(3, base), entry(7, delta, id)]);
  return Buffer.concat([pack, createHash('sha1').update(pack).digest()]);
}

function entry(type: number, content: Buffer, base = Buffer.alloc(0)): Buffer {
  const first = (type << 4) | (content.length & 0x0f);
  const more = Math.floor(content.length / 16);
  const head = more > 0 ? Buffer.concat([Buffer.of(first | 0x80), sizeOf(more)]) : Buffer.of(first);
  return Buffer.concat([head, base, deflateSync(content)]);
}

function sizeOf(size: number): Buffer {
  const bytes: number[] = [];
  for (let left = size; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left % 128) | 0x80);
  }
}
