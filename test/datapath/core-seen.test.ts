import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { renderCore } from '../../src/datapath/core-path.ts';
import { skip, withSources } from '../../src/datapath/haproxy-fixture.ts';
import { metricsPort } from '../../src/metrics-port.ts';
import { Page } from './prometheus.ts';
import { Services } from './proxied.ts';

type Line = { status: number; host: string; path: string; app: string };

/** The core of three apps of which one, the second, is not there; it stands behind sockets. */
class Core {
  readonly logged: string[] = [];
  readonly #child: ChildProcess;
  readonly #services: Services;

  private constructor(child: ChildProcess, services: Services) {
    this.#child = child;
    this.#services = services;
  }

  static async start(services: Services): Promise<Core> {
    const { proxy } = renderCore({
      generation: 'c'.repeat(64),
      routes: ['shop', 'gone'].map((app) => ({ host: `${app}.localhost`, app })),
      perSource: { requests: { count: 1000, perMs: 60_000 } },
      showsMetrics: true,
    });
    const file = path.join(services.folder, 'core.cfg');
    const bound = withSources(proxy)
      .replace('bind :8080', `bind unix@${services.socket('clients')}`)
      .replace(`bind :${metricsPort}`, `bind unix@${services.socket('metrics')}`)
      .replace(/server shop .*/, `server shop unix@${services.socket('web')}`)
      .replace(/server gone .*/, `server gone unix@${services.socket('gone')}`)
      .replace('parse-resolv-conf', 'nameserver nobody 127.0.0.1:1')
      .replaceAll('/run/changeless', services.folder);
    await writeFile(file, bound);
    const child = spawn('haproxy', ['-db', '-f', file], { env: { ...process.env, CHANGELESS_INCARNATION: 'core' } });
    services.proxies.add(child);
    const core = new Core(child, services);
    createInterface({ input: child.stdout }).on('line', (line) => core.logged.push(line));
    for await (const line of createInterface({ input: child.stderr })) if (line.includes('"serving"')) return core;
    throw new Error('the core ended');
  }

  async ask(socket: 'clients' | 'metrics', url: string, host: string): Promise<{ status: number; body: string }> {
    const request = http.get({ socketPath: this.#services.socket(socket), path: url, headers: { host } });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    let body = '';
    for await (const chunk of response.setEncoding('utf8')) body += String(chunk);
    return { status: response.statusCode ?? 0, body };
  }

  /** So many lines of its access log. */
  async lines(count: number): Promise<Line[]> {
    while (this.logged.length < count) await once(this.#child.stdout ?? this.#child, 'data');
    return this.logged.map((line) => JSON.parse(line) as Line);
  }
}

let services: Services;
let core: Core;
before(async () => {
  if (skip !== false) return;
  services = await Services.start();
  core = await Core.start(services);
});
after(() => services?.stop());

test('the core writes down what no data path has answered, and nothing else', { skip, timeout: 30_000 }, async () => {
  for (const host of ['shop.localhost', 'nobody.localhost', 'gone.localhost']) await core.ask('clients', '/a?b=c', host);
  const lines = await core.lines(2);
  assert.deepEqual(
    lines.map(({ status, host, path: asked, app }) => [status, host, asked, app]),
    [
      [404, 'nobody.localhost', '/a', '-'],
      [503, 'gone.localhost', '/a', 'gone'],
    ],
  );
});

test('the core counts by app, and lists itself and all apps where Prometheus asks', { skip, timeout: 30_000 }, async () => {
  const address = 'localhost:9464';
  const page = new Page((await core.ask('metrics', '/core', address)).body);
  const requests = (app: string, cls: string): number | undefined => page.value('changeless_core_requests_total', { app, class: cls });
  assert.deepEqual([requests('shop', '2xx'), requests('gone', '5xx'), requests('none', '4xx')], [1, 1, 1]);
  assert.deepEqual(page.repeated, []);
  const targets = JSON.parse((await core.ask('metrics', '/targets', address)).body) as unknown;
  const target = (name: string, place: string) => ({ targets: [address], labels: { __metrics_path__: place, instance: name } });
  assert.deepEqual(targets, [target('core', '/core'), target('gone', '/apps/gone'), target('shop', '/apps/shop')]);
});

test('nothing else is shown there, and nothing of it where clients ask', { skip, timeout: 30_000 }, async () => {
  const statuses = await Promise.all(
    (
      [
        ['metrics', '/targets', 'a"b'],
        ['metrics', '/apps/other', 'localhost'],
        ['metrics', '/apps/shop/..', 'localhost'],
        ['metrics', '/', 'shop.localhost'],
        ['clients', '/targets', 'localhost'],
        ['clients', '/core', 'metrics'],
      ] as const
    ).map(async ([socket, url, host]) => (await core.ask(socket, url, host)).status),
  );
  assert.deepEqual(statuses, [400, 404, 404, 404, 404, 404]);
});
