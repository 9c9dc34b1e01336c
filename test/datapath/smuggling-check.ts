import { once } from 'node:events';
import type net from 'node:net';
import type { RecordingOrigin } from './recording-origin.ts';
import type { SmugglingCase, Tokens } from './smuggling-request.ts';

/** What stands before a service, and who in it notes which requests there were: the first reader first. */
export type Front = {
  host: string;
  origin: RecordingOrigin;
  connect: () => Promise<net.Socket>;
  /** Each reader's requests, as lines that hold their targets, once all of them have been noted. */
  readers: () => Promise<Readonly<Record<string, readonly string[]>>>;
};

/** What went wrong with a case. */
export type Finding = { name: string; what: string };

/** The path that hidden requests ask for, which a rule may deny. */
export const DENIED = '/admin';

/**
 * Sends every case and finds those that a service was not safe from: it was sent what can be understood in two ways, it saw a request
 * that a reader before it had not seen, it saw a path that is denied, or somebody else got an answer that was not his.
 */
export async function findingsOf(cases: readonly SmugglingCase[], front: Front, denied: boolean): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [index, { name, raw }] of cases.entries()) {
    const told = await exchange(front, raw(tokensOf(index, front.host)));
    if (told === undefined) findings.push({ name, what: 'the connection was refused' });
    const innocent = innocentOf(index);
    const answer = await exchange(front, `GET ${innocent} HTTP/1.1\r\nhost: ${front.host}\r\nconnection: close\r\n\r\n`);
    if (!answer?.endsWith(`\r\n\r\n${innocent}`)) findings.push({ name, what: `somebody else was told ${JSON.stringify(answer)}` });
  }
  const readers = await front.readers();
  const nobodys = front.origin.violations.filter(({ text }) => !/\?c\d+-/.test(text));
  findings.push(...nobodys.map(({ what }) => ({ name: 'one of them', what: `the service was sent ${what}` })));
  return [...findings, ...cases.flatMap((each, index) => seenOf(each, index, { front, readers, denied }))];
}

type Seen = { front: Front; readers: Readonly<Record<string, readonly string[]>>; denied: boolean };

function seenOf({ name }: SmugglingCase, index: number, { front, readers, denied }: Seen): Finding[] {
  const { origin, host } = front;
  const { first, hidden, next } = tokensOf(index, host);
  const twofold = origin.violations.filter(({ text }) => text.includes(`?c${index}-`)).map(({ what }) => `the service was sent ${what}`);
  const counts = [first, hidden, next].flatMap((target) => disagreements(target, { ...readers, service: origin.targets }));
  const through = denied && origin.targets.some((target) => target === hidden) ? ['what is denied reached the service'] : [];
  return [...twofold, ...counts, ...through].map((what) => ({ name, what }));
}

/** No reader may see more requests than the one before it. */
function disagreements(target: string, readers: Readonly<Record<string, readonly string[]>>): string[] {
  const [, token = ''] = target.split('?');
  const counted = Object.entries(readers).map(([reader, lines]) => ({
    reader,
    count: lines.filter((line) => line.includes(token)).length,
  }));
  return counted.flatMap(({ reader, count }, at) => {
    const before = counted[at - 1];
    return before && before.count < count ? [`${reader} saw ${target} ${count} times, ${before.reader} ${before.count}`] : [];
  });
}

/** No token begins another one. */
const tokensOf = (index: number, host: string): Tokens => ({
  host,
  first: `/first?c${index}-first`,
  hidden: `${DENIED}?c${index}-hidden`,
  next: `/next?c${index}-next`,
});

const innocentOf = (index: number): string => `/innocent?c${index}-innocent`;

/** All that comes back for bytes that are all a client has to say; nothing where there is no connection. */
async function exchange({ connect }: Front, raw: string): Promise<string | undefined> {
  const socket = await connect().catch(() => undefined);
  if (socket === undefined) return undefined;
  let text = '';
  socket.setEncoding('latin1').on('data', (more: string) => (text += more));
  // Who is cut off while sending has still been answered.
  const closed = once(
    socket.on('error', () => socket.destroy()),
    'close',
  );
  socket.end(Buffer.from(raw, 'latin1'));
  await closed;
  return text;
}
