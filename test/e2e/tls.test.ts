import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import tls from 'node:tls';
import { after, before, test } from 'node:test';
import { containersOf } from './docker.ts';
import { startLoad, type Load, type Tally } from './load.ts';
import { run } from './running.ts';
import { cliProgram, environmentIn, freePort, makeWorld, type World } from './world.ts';

const host = 'catalog.localhost';
const file = 'architecture.ts';
const secrets = 'catalogCertificate: secret({ version: 1 }),\n    catalogKey: secret({ version: 1 })';

let world: World;
let port: number;
let authority: string;
before(async () => {
  port = await freePort();
  world = await makeWorld(
    'streaming',
    { file, from: 'service, store }', to: 'secret, service, store }' },
    { file, from: '}] },\n  apps: {', to: `}, { port: ${port}, tls: true }] },\n  secrets: {\n    ${secrets} },\n  apps: {` },
    { file, from: 'port: 80 }] }', to: "port: 80 }, { address: '0.0.0.0', port: 443, tls: true }] }" },
    { file, from: `hosts: ['${host}'],`, to: `hosts: ['${host}'],\n      tls: { certificate: 'catalogCertificate', key: 'catalogKey' },` },
  );
});
after(() => world?.dispose());

/** A new certificate, committed. */
async function certify(): Promise<void> {
  ({ authority } = (await world.json<{ authority: string }>('secret', 'certificate', 'catalog')).value);
  await world.git('add', '--all');
  await world.commit('A certificate');
}

/** What curl prints, and its exit code. */
const curl = (...words: string[]): ReturnType<typeof run> => {
  const ways = ['catalog', 'accounts'].flatMap((app) =>
    [world.port, port].flatMap((each) => ['--resolve', `${app}.localhost:${each}:127.0.0.1`]),
  );
  return run({ program: 'curl', words: ['--silent', '--show-error', '--cacert', authority, ...ways, ...words] });
};

/** The serial number of the certificate that is shown. */
async function shown(): Promise<string> {
  const socket = tls.connect({ host: '127.0.0.1', port, servername: host, ca: readFileSync(authority) });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

const connected = async (): Promise<http2.ClientHttp2Session> => {
  const session = http2.connect(`https://127.0.0.1:${port}`, { ca: readFileSync(authority), servername: host });
  session.on('error', () => undefined);
  await once(session, 'connect');
  return session;
};

/** Posts over a session; what it says when it fails. */
async function postOver(session: http2.ClientHttp2Session): Promise<string> {
  const stream = session.request({ ':authority': host, ':method': 'POST', ':path': '/', 'content-length': 5 });
  stream.end('hello');
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += String(chunk);
  if (Number(headers[':status']) !== 200) throw new Error(`answered ${Number(headers[':status'])}: ${text}`);
  return (JSON.parse(text) as { generation: string }).generation;
}

/**
 * Clients of HTTP/2, each with one session that it keeps until it is told that it ends. Nothing is tried again but what Node itself
 * had not sent when it was told so, as all clients of HTTP/2 do: of that the proxy has never heard.
 */
function startSessions(clients: number): Load & { unsent(): number } {
  let unsent = 0;
  const tally: Tally = { answered: 0, failed: [], answeredBy: new Map() };
  let isOver = false;
  const client = async (): Promise<void> => {
    let session = await connected();
    while (!isOver) {
      try {
        if (session.closed || session.destroyed) session = await connected();
        const generation = await postOver(session);
        tally.answered += 1;
        tally.answeredBy.set(generation, (tally.answeredBy.get(generation) ?? 0) + 1);
      } catch (error) {
        if (isUnsent(error)) unsent += 1;
        else tally.failed.push(String(error));
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 8));
    }
    session.destroy();
  };
  const running = Array.from({ length: clients }, client);
  return {
    tally,
    unsent: () => unsent,
    async stop() {
      isOver = true;
      await Promise.all(running);
      return tally;
    },
  };
}

const isUnsent = (error: unknown): boolean => error instanceof Error && error.message.endsWith('NGHTTP2_REFUSED_STREAM');

/** Ids of containers that do something, but for the controller's. */
async function containers(): Promise<{ path: string[]; others: string[] }> {
  const all = (await containersOf(world.architecture)).filter(({ unit, role }) => unit !== '' && role !== 'sandbox');
  const isPath = ({ unit, role }: (typeof all)[number]): boolean => unit === 'app/catalog' && role === 'path';
  return { path: all.filter(isPath).map(({ id }) => id), others: all.filter((each) => !isPath(each)).map(({ id }) => id) };
}

test('TLS, on the real engine', async (story) => {
  await story.test('an app is reached over TLS by who trusts the authority, and over plain HTTP by way of it', async () => {
    await certify();
    assert.match(await world.done('up'), new RegExp(`catalog +https://${host}:${port}`));
    const asked = await curl('--write-out', '\n%{http_version} %{http_code}', `https://${host}:${port}/`);
    assert.match(asked.stdout, /"app":"catalog"[^]*\n2 200$/, asked.stderr);
    const led = await curl('--location', '--write-out', '\n%{num_redirects} %{url_effective}', `http://${host}:${world.port}/?a=b`);
    assert.match(led.stdout, new RegExp(`\n1 https://${host}:${port}/\\?a=b$`), led.stderr);
    await world.done('verify');
  });

  await story.test('an app without a certificate is reached over plain HTTP alone', async () => {
    assert.equal((await curl(`https://accounts.localhost:${port}/`)).code, 35);
    assert.equal((await world.ask('accounts.localhost')).app, 'accounts');
  });

  await story.test('another certificate replaces one data path under load, and loses no request', async (told) => {
    const [first, serial] = [await containers(), await shown()];
    const live = await world.status();
    await certify();
    const ca = readFileSync(authority, 'utf8');
    const sessions = startSessions(4);
    const loads = [startLoad({ host, port, ca }, 8), sessions, startLoad({ host: 'accounts.localhost', port: world.port }, 3)];
    await world.done('up');
    const tallies = await Promise.all(loads.map((load) => load.stop()));
    const [second, changed] = [await containers(), await world.status()];
    assert.deepEqual(
      tallies.flatMap(({ failed }) => failed),
      [],
    );
    const generations = [live, changed].map(({ apps }) => apps['catalog']?.generation);
    for (const { answeredBy } of tallies.slice(0, 2)) assert.deepEqual([...answeredBy.keys()], generations);
    assert.notEqual(await shown(), serial);
    assert.deepEqual(second.others, first.others, 'all but its data path are the very same');
    assert.equal(second.path.filter((id) => first.path.includes(id)).length, 0);
    told.diagnostic(
      `${tallies.map(({ answered }) => answered).join(' + ')} requests, none failed; ${sessions.unsent()} were asked again, unsent`,
    );
    assert.ok(sessions.unsent() <= 4, 'each session ended once');
    await world.done('rollback');
    assert.equal(await shown(), serial);
    assert.deepEqual((await containers()).others, first.others);
  });

  await story.test('a key that is another’s is refused by who can open it, else by the waiter, before anything is switched', async () => {
    const [before, serial] = [await containers(), await shown()];
    const key = 'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256';
    const rotate = `${key} | ${process.execPath} ${cliProgram} secret rotate catalogKey`;
    const rotated = await run({ program: 'sh', words: ['-c', rotate], cwd: world.folder, env: environmentIn(world.root) });
    assert.equal(rotated.code, 0, rotated.stderr);
    await world.git('add', '--all');
    await world.commit('A key of nobody');
    const refused = await world.changeless('up');
    assert.match(refused.stderr, /CERTIFICATE_UNFIT[^]*architecture\.ts:\d+[^]*the key is not that of the certificate/);
    const failed = await world.changeless('up', '--identity', `${world.root}/none.txt`);
    assert.equal(failed.code, 1, failed.stderr);
    assert.match(failed.stderr, /inconsistencies between private key and certificate/);
    assert.equal(await shown(), serial);
    assert.deepEqual(await containers(), before);
  });
});
