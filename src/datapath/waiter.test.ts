import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { portOf, runProxy, said, skip } from './haproxy-fixture.ts';
import { renderWaiting } from './waiting-config.ts';

/** More than there is between two checks of who asks as often as it can, on a machine that has little time. */
const RARELY_MS = 200;

/** A service that is not well at first. */
class Service {
  isWell = false;
  readonly #askedAt: number[] = [];
  readonly #server = http.createServer((_, response) => {
    this.#askedAt.push(performance.now());
    response.writeHead(this.isWell ? 200 : 503).end();
    this.#server.emit('asked');
  });

  async start(story: TestContext): Promise<number> {
    story.after(() => this.#server.close());
    return portOf(this.#server);
  }

  /** Resolves when so many checks in a row have come long after one another. */
  async askedRarely(checks: number): Promise<void> {
    const gaps = (): number[] =>
      this.#askedAt.slice(-checks - 1).flatMap((at, index, all) => (index === 0 ? [] : [at - (all[index - 1] ?? at)]));
    while (gaps().length < checks || gaps().some((gap) => gap < RARELY_MS)) await once(this.#server, 'asked');
  }
}

function startWaiter(story: TestContext, port: number): AsyncIterator<string> {
  const health = { kind: 'http', path: '/', status: 200 } as const;
  const config = renderWaiting([{ name: 'web', port, health, servers: [{ name: 'web-1', address: 'localhost' }] }]);
  return runProxy(story, { folder: mkdtempSync(join(tmpdir(), 'waiter-')), config }).lines;
}

test(
  'who waits long asks rarely, and still finds what has become well, and what is not any more',
  { skip, timeout: 60_000 },
  async (story) => {
    const service = new Service();
    const lines = startWaiter(story, await service.start(story));
    await said(lines, '"code":503');
    await service.askedRarely(2);
    service.isWell = true;
    await said(lines, '"healthy"');
    service.isWell = false;
    await said(lines, '"checking"');
  },
);
