import http from 'node:http';
import type { Address } from './world.ts';

/** What a load has seen so far. `failed` holds one sentence for each request that got no good answer. */
export type Tally = { answered: number; readonly failed: string[]; readonly answeredBy: Map<string, number> };

/** A load that runs until it is stopped; `stop` resolves with what it has seen when every client has its last answer. */
export type Load = { readonly tally: Tally; stop(): Promise<Tally> };

type Control = { stopped: boolean };

/**
 * Starts clients that POST over connections they keep, each its own, never retry, and count whatever goes wrong. Node's
 * agent does not hide what is looked for: a connection that breaks under a request fails it, reused or not.
 */
export function startLoad(address: Address, clients: number): Load {
  const tally: Tally = { answered: 0, failed: [], answeredBy: new Map() };
  const control: Control = { stopped: false };
  const running = Array.from({ length: clients }, () => runClient(address, tally, control));
  return {
    tally,
    async stop() {
      control.stopped = true;
      await Promise.all(running);
      return tally;
    },
  };
}

async function runClient(address: Address, tally: Tally, control: Control): Promise<void> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  for (let number = 1; !control.stopped; number += 1) {
    try {
      const generation = await post(address, agent);
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

/** Resolves with the generation that answered 200; rejects on anything else, and without an answer in 10 s. */
function post({ host, port }: Address, agent: http.Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { agent, host: '127.0.0.1', port, method: 'POST', headers: { host, 'content-length': 5 } };
    const request = http.request({ ...options, signal: AbortSignal.timeout(10_000) }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { generation } = response.statusCode === 200 ? (JSON.parse(text) as { generation: string }) : {};
        if (generation === undefined) reject(new Error(`answered ${response.statusCode ?? 'nothing'}: ${text.slice(0, 200)}`));
        else resolve(generation);
      });
    });
    request.on('error', reject).end('hello');
  });
}
