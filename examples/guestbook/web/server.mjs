// The guest book. An entry has an id from the start, so that writing it again, after an answer was lost, writes it once.
import { randomUUID } from 'node:crypto';
import { createPostgres } from './postgres.mjs';
import { identity, serve } from './serve.mjs';

const postgres = createPostgres(process.env.ENTRIES_URL);
let ready = false;
const server = serve({
  '/': async (request) => {
    const entries = await postgres.query('SELECT id, text, at FROM entries ORDER BY at DESC LIMIT 10');
    const [{ count }] = await postgres.query('SELECT count(*) FROM entries');
    return { status: 200, body: { ...identity(request), count: Number(count), entries } };
  },
  '/entries': async (request) => {
    const text = new URL(request.url, 'http://any').searchParams.get('text');
    if (request.method !== 'POST' || !text) return { status: 400, body: { error: 'POST /entries?text=…' } };
    const id = randomUUID();
    await postgres.query('INSERT INTO entries (id, text) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING', [id, text]);
    return { status: 201, body: { ...identity(request), id } };
  },
  // Who has once found the store waits with its requests while that is replaced, as all others do: nobody could do it better.
  '/healthz': async () => {
    ready ||= await postgres.query('SELECT 1').then(
      () => true,
      () => false,
    );
    return { status: ready ? 200 : 503, body: { ready } };
  },
});

server.on('close', () => postgres.close());
