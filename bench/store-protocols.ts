import net from 'node:net';
import type { Protocol, Where } from './store-writers.ts';

/** A store of the bench: how it is written to, filled with 1 GB, and what of the acknowledged writes it has. */
export type StoreKind = {
  name: string;
  /** Its folder in the examples. */
  from: string;
  port: number;
  health: string;
  file: string;
  /** Two settings of the file, from the one to the other. */
  change: readonly [string, string];
  protocol: Protocol;
  fill: (where: Where, bytes: number) => Promise<void>;
  has: (where: Where) => Promise<ReadonlySet<string>>;
};

const VALUE_BYTES = 1_000;

const resp = (...words: readonly string[]): Buffer =>
  Buffer.from(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`);

const redisProtocol: Protocol = {
  greeting: resp('PING'),
  nothing: resp('PING'),
  write: (id) => resp('SET', `written:${id}`, id),
  answer: (bytes) => {
    const end = bytes.indexOf('\r\n');
    if (end < 0) return undefined;
    const line = bytes.toString('utf8', 0, end);
    return { length: end + 2, ...(line.startsWith('-') && { error: line }) };
  },
};

export const redis: StoreKind = {
  name: 'redis',
  from: 'streaming/sessions',
  port: 6379,
  health: `{ protocol: 'redis', timeoutMs: 300_000 }`,
  file: 'redis.conf',
  change: ['daemonize no', 'loglevel verbose\ndaemonize no'],
  protocol: redisProtocol,
  fill: async (where, bytes) => {
    const script = `for i = tonumber(ARGV[1]), tonumber(ARGV[2]) do redis.call('SET', 'filled:' .. i, ARGV[3] .. i) end return 1`;
    // Lua in one call is one entry of the log for each key.
    const noise = Array.from({ length: VALUE_BYTES / 2 }, () =>
      Math.floor(Math.random() * 36 ** 2)
        .toString(36)
        .padStart(2, '0'),
    ).join('');
    for (let from = 0; from < bytes / VALUE_BYTES; from += 10_000)
      await once(where, redisProtocol, resp('EVAL', script, '0', String(from), String(from + 9_999), noise));
  },
  has: async (where) => {
    const said = await spoken(where, resp('KEYS', 'written:*'), (bytes) => {
      const count = Number(/^\*(\d+)\r\n/.exec(bytes.toString('latin1', 0, 20))?.[1] ?? Number.NaN);
      return bytes.toString('latin1').split('\r\n').length >= 2 * count + 2;
    });
    return new Set(
      said
        .toString('utf8')
        .split('\r\n')
        .flatMap((line) => (line.startsWith('written:') ? [line.slice(8)] : [])),
    );
  },
};

const query = (sql: string): Buffer => sized('Q', Buffer.from(`${sql}\0`));

function sized(letter: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(letter), length, body]);
}

const startup = sized('', Buffer.from('\0\x03\0\0user\0postgres\0database\0postgres\0\0'));

/** The messages that are whole: their letters, what they hold, and how many bytes they are. */
function messagesIn(bytes: Buffer): { letter: string; body: Buffer; end: number }[] {
  const found = [];
  for (let at = 0; at + 5 <= bytes.length;) {
    const end = at + 1 + bytes.readInt32BE(at + 1);
    if (end > bytes.length) break;
    found.push({ letter: String.fromCharCode(bytes[at] ?? 0), body: bytes.subarray(at + 5, end), end });
    at = end;
  }
  return found;
}

/** What is fatal is all that is said. */
const isFarewell = (letter: string, body: Buffer): boolean => letter === 'E' && body.includes('SFATAL\0');

const postgresProtocol: Protocol = {
  greeting: startup,
  nothing: query('SELECT 1'),
  write: (id) => query(`INSERT INTO writes (id) VALUES ('${id}')`),
  answer: (bytes) => {
    const messages = messagesIn(bytes);
    const last = messages.findIndex(({ letter, body }) => letter === 'Z' || isFarewell(letter, body));
    const answered = messages.slice(0, last + 1);
    const end = answered.at(-1);
    const error = answered.find(({ letter }) => letter === 'E')?.body.toString('utf8');
    return (
      end && {
        length: end.end,
        ...(error !== undefined && { error: error.replaceAll('\0', ' ') }),
        ...(isFarewell(end.letter, end.body) && { ends: true }),
      }
    );
  },
};

export const postgres: StoreKind = {
  name: 'postgres',
  from: 'guestbook/entries',
  port: 5432,
  health: `{ protocol: 'postgres', timeoutMs: 300_000 }`,
  file: 'postgresql.conf',
  change: ['max_connections = 100', 'max_connections = 120'],
  protocol: postgresProtocol,
  fill: async (where, bytes) => {
    await ask(where, 'CREATE TABLE writes (id text PRIMARY KEY)');
    const rows = Math.round(bytes / VALUE_BYTES);
    const text = `(SELECT string_agg(md5(random()::text || n || m), '') FROM generate_series(1, 28) m)`;
    await ask(where, `INSERT INTO entries (id, text) SELECT gen_random_uuid(), ${text} FROM generate_series(1, ${rows}) n`);
    await ask(where, 'CHECKPOINT');
  },
  has: async (where) => {
    const said = await session(where, query('SELECT id FROM writes'));
    return new Set(messagesIn(said).flatMap(({ letter, body }) => (letter === 'D' ? [body.toString('utf8', 6)] : [])));
  },
};

async function ask(where: Where, sql: string): Promise<void> {
  const error = messagesIn(await session(where, query(sql))).find(({ letter }) => letter === 'E');
  if (error) throw new Error(`${sql}: ${error.body.toString('utf8')}`);
}

/** A session of one query: what was said after its beginning. */
async function session(where: Where, asked: Buffer): Promise<Buffer> {
  const readies = (bytes: Buffer): number => messagesIn(bytes).filter(({ letter }) => letter === 'Z').length;
  return spoken(where, Buffer.concat([startup, asked]), (bytes) => readies(bytes) >= 2);
}

async function once(where: Where, { answer }: Protocol, asked: Buffer): Promise<void> {
  const said = await spoken(where, asked, (bytes) => answer(bytes) !== undefined);
  const error = answer(said)?.error;
  if (error !== undefined) throw new Error(error);
}

/** What is said on a connection of its own until it is whole. */
function spoken({ address, port }: Where, asked: Buffer, isWhole: (bytes: Buffer) => boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = net.connect(port, address, () => socket.write(asked));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      if (isWhole(bytes)) socket.end(() => resolve(bytes));
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`the connection ended after ${Buffer.concat(chunks).toString('utf8').slice(0, 200)}`)));
  });
}
