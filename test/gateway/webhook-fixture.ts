import { createHmac } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { type GatewayEvent, type Webhook, type WebhookServing, webhookServer } from '../../src/gateway/webhook-server.ts';
import { Secret } from '../../src/secret.ts';
import { writerOf } from './inbox-fixture.ts';
import { PowerlessFiles } from './powerless-files.ts';

export const githubKey = 'it-is-a-secret';
export const signedKey = `whsec_${Buffer.from('another secret').toString('base64')}`;

export const webhooks: Webhook[] = [
  { name: 'github', format: 'github', secret: new Secret(`${githubKey}\n`), repository: 'octo/streaming' },
  { name: 'forge', format: 'signed', secret: new Secret(`an-older-one\n${signedKey}\n`) },
];

const commit = (digit: string): string => digit.repeat(40);

export const pushOf = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  ref: 'refs/heads/main',
  before: commit('a'),
  after: commit('b'),
  repository: { full_name: 'octo/streaming', clone_url: 'https://github.com/octo/streaming.git' },
  ...changes,
});

export function githubHeaders(body: string | Buffer, changes: Record<string, string> = {}): Record<string, string> {
  return {
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    'x-hub-signature-256': `sha256=${createHmac('sha256', githubKey).update(body).digest('hex')}`,
    ...changes,
  };
}

export function signedHeaders(body: string, { id = 'msg_1', at = Date.now(), key = 'another secret' } = {}): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,bm9uZQ== v1,${signature}` };
}

export type Served = { url: string; port: number; files: PowerlessFiles; events: GatewayEvent[] };

/** A gateway's server on a port of its own, over an inbox in memory. */
export async function served(context: Pick<TestContext, 'after'>, options: Partial<WebhookServing> = {}): Promise<Served> {
  const files = new PowerlessFiles();
  const writer = writerOf(files);
  const events: GatewayEvent[] = [];
  const append: WebhookServing['append'] = (delivery) => writer.append(delivery);
  const server = webhookServer({ webhooks, append, clock: () => new Date(), report: (event) => events.push(event), ...options });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, files, events };
}

export async function post(
  url: string,
  body: string | Buffer,
  headers: Record<string, string>,
): Promise<{ status: number; said: Record<string, string> }> {
  const response = await fetch(url, { method: 'POST', body, headers });
  return { status: response.status, said: (await response.json()) as Record<string, string> };
}
