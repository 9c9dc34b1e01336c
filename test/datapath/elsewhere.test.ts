import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { issueFor, makeAuthority, type Certified } from '../../src/certificates/issue.ts';
import { renderAppPath } from '../../src/datapath/app-path.ts';
import type { Origin } from '../../src/datapath/elsewhere-config.ts';
import { freePort, ownAddress, skip, withSources } from '../../src/datapath/haproxy-fixture.ts';
import { parsePathLine, type PathReport } from '../../src/datapath/path-log.ts';

const name = 'legacy.localhost';

let folder: string;
let authority: Certified;
let origin: { plain: number; encrypted: number };
const servers: http.Server[] = [];
const children = new Set<ChildProcess>();

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'elsewhere-'));
  authority = await makeAuthority('of a test', new Date());
  const { certificate, key } = await issueFor([name], authority, new Date());
  const answer: http.RequestListener = (request, response) => {
    const { encrypted, servername } = request.socket as TLSSocket;
    response.end(JSON.stringify({ host: request.headers.host, url: request.url, ...(encrypted && { servername }) }));
  };
  servers.push(http.createServer(answer), https.createServer({ cert: certificate, key: key.revealText() }, answer));
  const [plain = 0, encrypted = 0] = await Promise.all(servers.map(portOf));
  origin = { plain, encrypted };
  await writeFile(path.join(folder, 'ours.pem'), authority.certificate);
  await writeFile(path.join(folder, 'others.pem'), (await makeAuthority('of nobody', new Date())).certificate);
});

after(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  await rm(folder, { recursive: true });
});

const portOf = async (server: http.Server): Promise<number> => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
};

let count = 0;

/** Runs a configuration, and gives what it reports. */
async function run(config: string): Promise<{ child: ChildProcess; reported(isIt: (report: PathReport) => boolean): Promise<PathReport> }> {
  count += 1;
  const file = path.join(folder, `${count}.cfg`);
  await writeFile(file, withSources(config).replaceAll('/run/changeless', folder));
  const child = spawn('haproxy', ['-db', '-f', file], { env: { ...process.env, CHANGELESS_INCARNATION: `run-${count}` } });
  children.add(child);
  const reports: PathReport[] = [];
  const news = new EventTarget();
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      const report = parsePathLine(line);
      if (report) reports.push(report);
      news.dispatchEvent(new Event('report'));
    });
  return {
    child,
    async reported(isIt) {
      for (;;) {
        const found = reports.find(isIt);
        if (found) return found;
        await once(news, 'report');
      }
    },
  };
}

/** A data path of an app that lives at the origin, its way out, and where the path listens; both go with `stop`. */
async function behind(
  elsewhere: Origin,
  change = (config: string): string => config,
): Promise<{ waiting: string; proxy: string; front: string; stop: () => void }> {
  const port = await freePort();
  const rendered = renderAppPath({
    app: 'shop',
    generation: 'a'.repeat(64),
    colour: 'blue',
    entry: 'elsewhere',
    services: [{ name: 'elsewhere', port: 8080, replicas: 1, health: { kind: 'http', path: '/healthz', status: 200 } }],
    drainLimitMs: 1000,
    elsewhere,
  });
  const front = path.join(folder, `front-${port}`);
  const at = (config: string): string =>
    config
      .replace('elsewhere-1.blue:8080', `${ownAddress}:${port}`)
      .replace('bind :8080', `bind unix@${front}`)
      .replace('bind :', `bind ${ownAddress}:`);
  const { child } = await run(change(rendered.wayOut?.replace('bind :8080', `bind ${ownAddress}:${port}`) ?? ''));
  await untilOpen(port);
  return { waiting: at(rendered.waiting), proxy: at(rendered.proxy), front, stop: () => child.kill('SIGKILL') };
}

async function untilOpen(port: number): Promise<void> {
  for (;;) {
    const socket = net.connect({ host: ownAddress, port });
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
  }
}

async function ask(front: string, headers: Record<string, string>): Promise<{ status: number; told: unknown }> {
  const socket = net.connect(front);
  await once(socket, 'connect');
  socket.write('PROXY TCP4 192.0.2.1 127.0.0.1 1000 80\r\n');
  const request = http.request({ createConnection: () => socket, path: '/a?b', headers }).end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  socket.destroy();
  return { status: response.statusCode ?? 0, told: response.statusCode === 200 ? JSON.parse(text) : undefined };
}

/** What an origin is told of a request for `shop.localhost`. */
async function told(elsewhere: Origin): Promise<unknown> {
  const { proxy, front, stop } = await behind(elsewhere);
  const running = await run(proxy);
  await running.reported(({ phase }) => phase === 'serving');
  const { status, told: answer } = await ask(front, { host: 'shop.localhost' });
  running.child.kill('SIGKILL');
  stop();
  return answer ?? status;
}

/** What a waiter in front of the origin says first that is healthy, or that a check went wrong. */
async function waited(elsewhere: Origin): Promise<string[]> {
  const { waiting, stop } = await behind(elsewhere);
  const running = await run(waiting);
  const report = await running.reported((each) => each.phase === 'healthy' || failures(each).some(({ check }) => /^L[467]/.test(check)));
  running.child.kill('SIGKILL');
  stop();
  return report.phase === 'healthy' ? ['healthy'] : failures(report).map(({ server, asked, check }) => `${server} ${asked}: ${check}`);
}

const failures = (report: PathReport) => (report.phase === 'checking' ? report.failing : []);

/** A server of names that knows one, and where it is now. */
async function nameServer(known: { address: string }): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', (question, { port, address }) => {
    const header = Buffer.from([question[0]!, question[1]!, 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0]);
    // One question of type A, as it came, without what may follow it; the answer names it by its offset.
    const asked = question.subarray(12, question.indexOf(0, 12) + 5);
    const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...known.address.split('.').map(Number)]);
    socket.send(Buffer.concat([header, asked, answer]), port, address);
  });
  await once(socket.bind(0, '127.0.0.1'), 'listening');
  return socket;
}

const here = (): Origin => ({ host: '127.0.0.1', port: origin.plain });
const encrypted = (ca: 'ours' | 'others', own = name): Origin => ({
  host: '127.0.0.1',
  port: origin.encrypted,
  tls: { name: own, ca: path.join(folder, `${ca}.pem`) },
});

test('what lives elsewhere', { skip, concurrency: 2 }, async (suite) => {
  await suite.test('is asked for the host that the client asked for, or for the one that is said', async () => {
    assert.deepEqual(await told(here()), { host: 'shop.localhost', url: '/a?b' });
    assert.deepEqual(await told({ ...here(), hostHeader: 'shop.example.com' }), { host: 'shop.example.com', url: '/a?b' });
  });

  await suite.test('is asked over TLS where it shows a certificate for its name, from who is to vouch for it', async () => {
    assert.deepEqual(await told(encrypted('ours')), { host: 'shop.localhost', url: '/a?b', servername: name });
  });

  await suite.test('is not asked where somebody else vouches for it, or it is somebody else', async () => {
    assert.equal(await told(encrypted('others')), 503);
    assert.equal(await told(encrypted('ours', 'other.localhost')), 503);
  });

  await suite.test('is healthy when it answers what is expected', async () => {
    assert.deepEqual(await waited(here()), ['healthy']);
    assert.deepEqual(await waited(encrypted('ours')), ['healthy']);
  });

  await suite.test('is not healthy when nobody answers, though the way out is there', async () => {
    const failed = await waited({ host: ownAddress, port: await freePort() });
    assert.match(failed.join(), /^elsewhere-1 GET \/healthz expecting 200: L7/);
  });

  await suite.test('is not healthy when its certificate is for another name', async () => {
    assert.deepEqual(await waited(encrypted('ours', 'other.localhost')), ['elsewhere-1 GET /healthz expecting 200: L6RSP']);
  });

  await suite.test('is followed where its name leads', { timeout: 30_000 }, async () => {
    const known = { address: '127.0.0.1' };
    const names = await nameServer(known);
    const asked = `nameserver here 127.0.0.1:${names.address().port}`;
    const { proxy, front, stop } = await behind({ host: name, port: origin.plain }, (config) =>
      config
        .replace('parse-resolv-conf', asked)
        .replace('hold valid 10s', 'hold valid 50ms')
        .replace('timeout resolve 1s', 'timeout resolve 50ms'),
    );
    const running = await run(proxy);
    await running.reported(({ phase }) => phase === 'serving');
    const isReached = async (wanted: boolean): Promise<void> => {
      while (((await ask(front, { host: 'shop.localhost' })).status === 200) !== wanted);
    };
    await isReached(true);
    // Nobody listens there.
    known.address = '127.0.0.2';
    await isReached(false);
    known.address = '127.0.0.1';
    await isReached(true);
    running.child.kill('SIGKILL');
    names.close();
    stop();
  });
});
