import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { digestOfToken, tokenOf, type Scope } from '../../src/api-token.ts';
import type { RunId } from '../../src/digest.ts';
import { InboxReader } from '../../src/gateway/inbox-reader.ts';
import { runGateway, type GatewayRequest } from '../../src/gateway/run-gateway.ts';
import type { AcceptedRun, PlannedStep } from '../../src/job-run.ts';
import { openKept, type KeptLine } from '../../src/jobs/kept-log.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { LedgerReader } from '../../src/ledger/ledger-reader.ts';
import { freePort } from '../e2e/world.ts';
import { ledgerFile, opened, releaseOf } from '../ledger/ledger-fixture.ts';
import { assertDescribed } from './described.ts';
import { PowerlessFiles } from './powerless-files.ts';
import { tokenOf as chargeOf } from './taking-fixture.ts';
import { webhooks } from './webhook-fixture.ts';

export type Answer<T = Record<string, unknown>> = { status: number; headers: Headers; value: T };

type Asking = { token?: string; body?: unknown; headers?: Record<string, string> };

/** Tokens of each scope, and two that are accepted no more. */
export const tokens = {
  read: tokenOf('1'.repeat(40)),
  deploy: tokenOf('2'.repeat(40)),
  admin: tokenOf('3'.repeat(40)),
  revoked: tokenOf('4'.repeat(40)),
  ended: tokenOf('5'.repeat(40)),
  unknown: tokenOf('6'.repeat(40)),
};

const hurried: GatewayRequest['timers'] = {
  after(ms, work) {
    const timer = setTimeout(work, ms <= 250 ? 2 : ms);
    return () => clearTimeout(timer);
  },
};

export const stepOf = (key: string): PlannedStep => ({
  key,
  cell: '',
  name: key.slice(1),
  group: 0,
  agent: 'node',
  caches: {},
  artifacts: [],
  secrets: [{ file: 'token', secret: 'token', version: 1, sealed: 'sealed-value' }],
  limits: { memoryBytes: 1, processes: 1 },
  limitMs: 1000,
});

export const runOf = (id: string, more: Partial<AcceptedRun> = {}): AcceptedRun => ({
  id: id as RunId,
  job: 'test',
  release: releaseOf('a'),
  commit: 'uncommitted',
  environment: 'local',
  reason: 'by-hand',
  parameters: { level: 'high' },
  plan: { steps: [stepOf('/build'), stepOf('/unit')], limitMs: 60_000 },
  ...more,
});

/** A gateway that answers the API, over a ledger that a controller writes to, and an inbox that it takes. */
export class ApiWorld {
  readonly ledger: Ledger;
  readonly files = new PowerlessFiles();
  readonly said: unknown[] = [];
  readonly port: number;
  readonly logs: string;
  readonly abort = new AbortController();
  readonly charge: number;
  now = () => new Date();
  /** Its data path drains. */
  drain: () => void = () => {};
  ended: Promise<void> = Promise.resolve();

  private constructor({ ledger, port, logs, charge }: Pick<ApiWorld, 'ledger' | 'port' | 'logs' | 'charge'>) {
    this.ledger = ledger;
    this.port = port;
    this.logs = logs;
    this.charge = charge;
  }

  static async make(context: TestContext, options: Partial<GatewayRequest> = {}): Promise<ApiWorld> {
    const file = ledgerFile(context);
    const ledger = await opened(file);
    const logs = path.join(path.dirname(file), 'logs');
    mkdirSync(logs);
    const charge = await chargeOf(ledger);
    const world = new ApiWorld({ ledger, port: await freePort(), logs, charge });
    await world.#addTokens();
    const reader = new LedgerReader(file);
    world.ended = runGateway({
      files: world.files,
      webhooks,
      readTaken: () => undefined,
      api: { read: (look) => reader.read(look), logs: { folder: logs }, onDrain: (end) => (world.drain = end) },
      address: { host: '127.0.0.1', port: world.port },
      report: (event) => world.said.push(event),
      clock: () => world.now(),
      random: (characters) => 'f'.repeat(characters),
      timers: hurried,
      signal: world.abort.signal,
      ...options,
    });
    context.after(async () => {
      world.abort.abort();
      await world.ended;
      reader.close();
      await ledger.close();
    });
    while ((await fetch(`${world.url}/healthz`).catch(() => undefined))?.status !== 200) await turn();
    return world;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Asks, and checks the answer against the description. `token`: none when left out. */
  async ask<T = Record<string, unknown>>(method: string, asked: string, { token, body, headers = {} }: Asking = {}): Promise<Answer<T>> {
    const response = await fetch(`${this.url}${asked}`, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const value = (text === '' ? {} : JSON.parse(text)) as T;
    const type = response.headers.get('content-type') ?? '';
    const [target = ''] = asked.split('?');
    if (text !== '') assertDescribed(method, target, { status: response.status, type, value });
    return { status: response.status, headers: response.headers, value };
  }

  /** What is in the inbox goes to the ledger, as the controller takes it. */
  async take(): Promise<void> {
    const reader = new InboxReader(this.files);
    for (;;) {
      const batch = await reader.next(await this.ledger.inboxTaken());
      if (!batch) return;
      await this.ledger.takeDeliveries(this.charge, batch);
    }
  }

  /** Lines that a step has printed, kept by the owner with that token. */
  async print(run: string, step: string, { token = 1, lines }: { token?: number; lines: readonly string[] }): Promise<void> {
    const log = await openKept({ folder: this.logs }, { run: run as RunId, step, token });
    for (const line of lines) await log.add({ at: '2026-01-01T00:00:00.000Z', stream: 'stdout', line } satisfies KeptLine);
    await log.close();
  }

  /** The run ends, and is closed. */
  async close(run: string): Promise<void> {
    const own = (await this.ledger.runs.claim({ owner: 'test', leaseMs: 0, held: [] })).find(({ id }) => id === run);
    if (!own) throw new Error(`nobody can close ${run}`);
    await this.ledger.runs.end(own, { outcome: 'passed' });
    await this.ledger.runs.close(own);
  }

  async #addTokens(): Promise<void> {
    const add = (name: keyof typeof tokens, scope: Scope, expiresAt = '2999-01-01T00:00:00.000Z') =>
      this.ledger.addToken({ name, scope, digest: digestOfToken(tokens[name]), expiresAt });
    await Promise.all([add('read', 'read'), add('deploy', 'deploy'), add('admin', 'admin'), add('revoked', 'admin')]);
    await add('ended', 'admin', '2026-01-01T00:00:00.000Z');
    await this.ledger.revokeToken('revoked');
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Resolves when it is so. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`it never came to be: ${what}`);
    await turn();
  }
}
