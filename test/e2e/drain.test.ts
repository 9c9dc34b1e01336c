import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { docker } from './docker.ts';
import { makeWorld, until, type World } from './world.ts';

/** Streams events until it is told that it drains, when it says goodbye; a stubborn one it never ends. */
const server = `
import { identity, serve } from './serve.mjs';

const ok = () => ({ status: 200, body: {} });
const streams = new Set();
const server = serve({ '/': (request) => ({ status: 200, body: identity(request) }), '/healthz': ok });
const [answer] = server.listeners('request');
server.removeAllListeners('request');
server.on('request', (request, response) => {
  if (!request.url.startsWith('/stream')) return answer(request, response);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write('data: hello\\n\\n');
  if (request.url === '/stream/polite') streams.add(response);
});
process.on('SIGUSR1', () => {
  for (const stream of streams) stream.end('event: goodbye\\n\\n');
});
`;

let world: World;
before(async () => {
  world = await makeWorld(
    'hello',
    { file: 'hello/server.mjs', from: /^[^]*$/, to: server },
    { file: 'architecture.ts', from: 'port: 8080,', to: "port: 8080, drainSignal: 'SIGUSR1'," },
  );
  await world.done('up');
});
after(() => world?.dispose());

type Stream = { text: () => string; ended: Promise<'whole' | 'cut'> };

/** Opens a stream through the core; resolves when its first event came. */
function open(path: string): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'hello.localhost' };
    const request = http.get({ host: '127.0.0.1', port: world.port, path, headers, agent: false }, (response) => {
      let text = '';
      const ended = new Promise<'whole' | 'cut'>((end) => response.on('close', () => end(response.complete ? 'whole' : 'cut')));
      response.on('error', () => undefined);
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        resolve({ text: () => text, ended });
      });
    });
    request.on('error', reject);
  });
}

type Event = { type: string; cut?: number; outcome?: string };

async function replaced(from: string, to: string): Promise<Event[]> {
  await world.commit(to, { file: 'architecture.ts', from, to });
  const { code, stdout } = await world.changeless('up', '--json');
  assert.equal(code, 0);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);
}

test('an instance that is told it drains says goodbye, and nothing is cut', async () => {
  const stream = await open('/stream/polite');
  const events = await replaced("GREETING: 'Hello'", "GREETING: 'Good morning'");
  assert.equal(await stream.ended, 'whole');
  assert.match(stream.text(), /^data: hello\n\nevent: goodbye\n\n$/);
  assert.equal(events.find(({ type }) => type === 'unit-retired')?.cut, undefined);
});

test('what does not end is closed at the limit of the app, and counted', async () => {
  await replaced('hello: app({', 'hello: app({ drain: { limitMs: 1500 },');
  const stream = await open('/stream/stubborn');
  const events = await replaced("GREETING: 'Good morning'", "GREETING: 'Good evening'");
  assert.equal(await stream.ended, 'cut');
  assert.ok(events.some(({ type }) => type === 'drain-waiting'));
  assert.equal(events.find(({ type }) => type === 'unit-retired')?.cut, 1);
  const last = events.at(-1);
  assert.deepEqual([last?.type, last?.outcome, last?.cut], ['rollout-ended', 'live', 1]);
});

test('who waits for an answer of a place that is gone learns it, and does not wait for ever', { timeout: 60_000 }, async () => {
  const stream = await open('/stream/stubborn');
  await docker('kill', `${world.architecture}.hello.path.slot`);
  assert.equal(await stream.ended, 'cut');
  await until('the app answers again', async () => (await world.ask('hello.localhost')).app === 'hello');
});
