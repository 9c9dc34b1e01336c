// As much of a PostgreSQL client as a guest book needs: queries in order over one connection, which comes back by itself.
// Messages: PostgreSQL manual, 55.7. It knows no password: a server that asks for one is refused.
import net from 'node:net';

const AGAIN_MS = 100;
const MOST_SENDINGS = 2;

/**
 * A client of `postgres://user@host:port/database`. A query whose connection broke before the answer is sent once more, so
 * it happens at least once. It fails with what PostgreSQL says is wrong, or without an answer within `timeoutMs`: as long as
 * a store's connections may wait while its server is replaced.
 */
export function createPostgres(url, { timeoutMs = 60_000 } = {}) {
  const { hostname, port, username, pathname } = new URL(url);
  const queries = [];
  let socket;
  let received = Buffer.alloc(0);
  let ready = false;

  function connect() {
    received = Buffer.alloc(0);
    socket = net.connect(Number(port || 5432), hostname).setNoDelay(true);
    socket
      .on('connect', () => socket.write(startup({ user: username, database: pathname.slice(1) })))
      .on('data', receive)
      .on('error', () => {})
      .on('close', reconnect);
  }

  function receive(chunk) {
    received = Buffer.concat([received, chunk]);
    while (received.length > 4 && received.length > received.readInt32BE(1)) {
      const end = 1 + received.readInt32BE(1);
      told(String.fromCharCode(received[0]), received.subarray(5, end));
      received = received.subarray(end);
    }
  }

  function told(type, body) {
    const query = ready ? queries[0] : undefined;
    if (type === 'R' && body.readInt32BE(0) !== 0) socket.destroy(new Error('it wants a password'));
    else if (type === 'Z') becomeReady();
    else if (type === 'T' && query) query.columns = columnsOf(body);
    else if (type === 'D' && query) query.rows.push(rowOf(query.columns, body));
    else if (type === 'E' && query) query.problem = problemOf(body);
  }

  /** After a query, and after the start of a session. */
  function becomeReady() {
    if (ready) {
      const { problem, rows, end } = queries.shift();
      end(problem, rows);
    }
    ready = true;
    send();
  }

  function send() {
    const [query] = queries;
    if (!ready || !query || query.isSent) return;
    Object.assign(query, { isSent: true, sendings: query.sendings + 1, rows: [], problem: undefined });
    socket.write(messagesOf(query));
  }

  function reconnect() {
    ready = false;
    const [query] = queries;
    if (query?.isSent && query.sendings >= MOST_SENDINGS) queries.shift().end('the connection to the store broke twice');
    for (const each of queries) each.isSent = false;
    setTimeout(connect, AGAIN_MS).unref();
  }

  function giveUp(query) {
    queries.splice(queries.indexOf(query), 1);
    query.end(`the store did not answer within ${timeoutMs} ms`);
    // What arrived later would be taken for the next query's answer.
    if (query.isSent) socket.destroy();
  }

  connect();
  return {
    /** Resolves with the rows: name of the column → text, or null. */
    query(text, values = []) {
      return new Promise((resolve, reject) => {
        const query = { text, values, sendings: 0, isSent: false, columns: [], rows: [], end };
        const timer = setTimeout(() => giveUp(query), timeoutMs);
        queries.push(query);
        send();

        function end(problem, rows) {
          clearTimeout(timer);
          if (problem) reject(new Error(problem));
          else resolve(rows);
        }
      });
    },
    close() {
      socket.removeAllListeners('close').end();
    },
  };
}

function startup(parameters) {
  const fields = Object.entries(parameters).flatMap(([name, value]) => [name, value]);
  return sized('', Buffer.concat([Buffer.from([0, 3, 0, 0]), ...fields.map(text), Buffer.from([0])]));
}

/** Parse, Bind, Describe, Execute and Sync, all unnamed; values and answers are text. */
function messagesOf({ text: sql, values }) {
  const bound = values.map((value) => {
    const bytes = Buffer.from(String(value));
    return Buffer.concat([int32(bytes.length), bytes]);
  });
  return Buffer.concat([
    sized('P', Buffer.concat([text(''), text(sql), int16(0)])),
    sized('B', Buffer.concat([text(''), text(''), int16(0), int16(values.length), ...bound, int16(0)])),
    sized('D', Buffer.concat([Buffer.from('P'), text('')])),
    sized('E', Buffer.concat([text(''), int32(0)])),
    sized('S', Buffer.alloc(0)),
  ]);
}

function columnsOf(body) {
  const columns = [];
  for (let at = 2; columns.length < body.readInt16BE(0); at += 19) {
    const end = body.indexOf(0, at);
    columns.push(body.toString('utf8', at, end));
    at = end;
  }
  return columns;
}

function rowOf(columns, body) {
  let at = 2;
  const entries = columns.map((column) => {
    const length = body.readInt32BE(at);
    const value = length < 0 ? null : body.toString('utf8', at + 4, at + 4 + length);
    at += 4 + Math.max(0, length);
    return [column, value];
  });
  return Object.fromEntries(entries);
}

function problemOf(body) {
  const fields = body.toString('utf8').split('\0');
  return fields.find((field) => field.startsWith('M'))?.slice(1) ?? 'the query failed';
}

const text = (value) => Buffer.from(`${value}\0`);

const sized = (type, body) => Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);

function int32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int16(value) {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}
