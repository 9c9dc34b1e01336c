import http from 'node:http';
import https from 'node:https';
import type { Address } from './world.ts';

/** What a load has seen so far. `failed` holds one sentence for each request that got no good answer. */
export type Tally = { answered: number; readonly failed: string[]; readonly answeredBy: Map<string, number> };

/** A load that runs until it is stopped; `stop` resolves with what it has seen when every client has its last answer. */
export type Load = { readonly tally: Tally; stop(): Promise<Tally> };

type Control = { stopped: boolean };

/** What is asked: `/` of an app that answers 200 at once, unless said otherwise. */
export type Asking = { path?: string; status?: number; limitMs?: number; headers?: Readonly<Record<string, string>> };

/** Where a load goes; over TLS where an authority is named. */
export type Target = Address & { ca?: string };

type Asked = Target & Required<Asking>;

/**
 * Starts clients that POST over connections they keep, each its own, never retry, and count whatever goes wrong. Node's
 * agent does not hide what is looked for: a connection that breaks under a request fails it, reused or not.
 */
export function startLoad(
  address: Target,
  clients: number,
  { path = '/', status = 200, limitMs = 10_000, headers = {} }: Asking = {},
): Load {
  const asked: Asked = { ...address, path, status, limitMs, headers };
  const tally: Tally = { answered: 0, failed: [], answeredBy: new Map() };
  const control: Control = { stopped: false };
  const running = Array.from({ length: clients }, () => runClient(asked, tally, control));
  return {
    tally,
    async stop() {
      control.stopped = true;
      await Promise.all(running);
      return tally;
    },
  };
}

async function runClient(asked: Asked, tally: Tally, control: Control): Promise<void> {
  const agent = new (asked.ca === undefined ? http : https).Agent({ keepAlive: true, maxSockets: 1 });
  for (let number = 1; !control.stopped; number += 1) {
    try {
      const generation = await post(asked, agent);
      tally.answered += 1;
      tally.answeredBy.set(generation, (tally.answeredBy.get(generation) ?? 0) + 1);
    } catch (error) {
      tally.failed.push(`${new Date().toISOString()} request ${number}: ${String(error)}`);
    }
    // A little idle time, so that closing a connection and using it can cross.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 8));
  }
  agent.destroy();
}

/** Resolves with the generation that answered as it should; rejects on anything else, and without an answer in time. */
function post({ host, port, path, status, limitMs, ca, headers }: Asked, agent: http.Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { agent, host: '127.0.0.1', port, path, method: 'POST', headers: { ...headers, host, 'content-length': 5 } };
    const [client, encrypted] = ca === undefined ? [http, {}] : [https, { ca, servername: host }];
    const request = client.request({ ...options, ...encrypted, signal: AbortSignal.timeout(limitMs) }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { generation } = response.statusCode === status ? (JSON.parse(text) as { generation: string }) : {};
        if (generation === undefined) reject(new Error(`answered ${response.statusCode ?? 'nothing'}: ${text.slice(0, 200)}`));
        else resolve(generation);
      });
    });
    request.on('error', reject).end('hello');
  });
}
