import { createHmac } from 'node:crypto';
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Address } from './world.ts';

/** A forge that never sends anything again by itself. */
export type Forge = Address & { key: string };

export type Sent = { id: string; status: number | string };

/** Sends one push as GitHub does; its answer, or what went wrong. */
export function sendPush({ host, port, key }: Forge, id: string, agent: http.Agent | false = false): Promise<Sent> {
  const body = JSON.stringify({
    ref: 'refs/heads/main',
    before: 'a'.repeat(40),
    after: createHmac('sha1', 'commit').update(id).digest('hex'),
    repository: { full_name: 'octo/streaming' },
    padding: 'x'.repeat(8000),
  });
  const headers = {
    host,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-github-event': 'push',
    'x-github-delivery': id,
    'x-hub-signature-256': `sha256=${createHmac('sha256', key).update(body).digest('hex')}`,
  };
  return new Promise((resolve) => {
    const request = http.request(
      { host: '127.0.0.1', port, agent, method: 'POST', path: '/webhooks/github', headers, signal: AbortSignal.timeout(10_000) },
      (response) => response.resume().on('end', () => resolve({ id, status: response.statusCode ?? 0 })),
    );
    request.on('error', (error) => resolve({ id, status: String(error) })).end(body);
  });
}

/** As fast as they are answered they would take the processors from what is to be seen while they send. */
const paceMs = 25;

/** Senders that each keep a connection and send one push after another, until stopped: all they sent. */
export function startStream(forge: Forge, { senders, name }: { senders: number; name: string }): { sent: Sent[]; stop(): Promise<Sent[]> } {
  const sent: Sent[] = [];
  let isStopped = false;
  const running = Array.from({ length: senders }, async (_, sender) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let number = 0; !isStopped; number += 1) {
      sent.push(await sendPush(forge, `${name}-${sender}-${number}`, agent));
      await pause(paceMs);
    }
    agent.destroy();
  });
  return {
    sent,
    async stop() {
      isStopped = true;
      await Promise.all(running);
      return sent;
    },
  };
}
