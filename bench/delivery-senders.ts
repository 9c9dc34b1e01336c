import { createHmac, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const BODY_BYTES = 8192;
const SENDERS = 64;
const WARM_UP_MS = 1000;
const MEASURED_MS = 4000;

export type Sent = { perSecond: number; p99Ms: number };

/**
 * Senders on connections they keep, each with one delivery under way, and no HTTP client between: one costs more than the server.
 * All send the same bytes under ids of their own. Throws when one is not answered 202.
 */
export async function sendDeliveries(port: number, key: string): Promise<Sent> {
  const body = JSON.stringify({
    ref: 'refs/heads/main',
    before: 'a'.repeat(40),
    after: 'b'.repeat(40),
    repository: { full_name: 'octo/streaming' },
    padding: '',
  });
  const padded = body.replace('"padding":""', `"padding":"${'x'.repeat(BODY_BYTES - body.length)}"`);
  const signature = createHmac('sha256', key).update(padded).digest('hex');
  const head = `POST /webhooks/github HTTP/1.1\r\nhost: deliver\r\ncontent-type: application/json\r\ncontent-length: ${padded.length}\r
x-github-event: push\r\nx-hub-signature-256: sha256=${signature}\r\nx-github-delivery: `;
  const took: number[] = [];
  const control = { isMeasuring: false, failure: '' };
  const run = randomBytes(4).toString('hex');
  let count = 0;
  const next = (): string => `${head}${run}-${(count += 1)}\r\n\r\n${padded}`;
  const sockets = Array.from({ length: SENDERS }, () => sender(connect(port, '127.0.0.1'), { next, took, control }));
  await pause(WARM_UP_MS);
  control.isMeasuring = true;
  await pause(MEASURED_MS);
  control.isMeasuring = false;
  for (const socket of sockets) socket.destroy();
  if (control.failure !== '') throw new Error(`a delivery was answered ${control.failure}`);
  const sorted = took.toSorted((a, b) => a - b);
  return { perSecond: took.length / (MEASURED_MS / 1000), p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN };
}

type Sending = { next: () => string; took: number[]; control: { isMeasuring: boolean; failure: string } };

function sender(socket: Socket, { next, took, control }: Sending): Socket {
  let began = 0;
  const send = (): void => {
    began = performance.now();
    socket.write(next());
  };
  // Answers are a few hundred bytes, and end with the line that is their body.
  let heard = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    heard += text;
    if (!heard.endsWith('}\n')) return;
    if (!heard.startsWith('HTTP/1.1 202 ')) control.failure = heard;
    if (control.isMeasuring) took.push(performance.now() - began);
    heard = '';
    send();
  });
  socket.on('error', (error) => (control.failure = String(error)));
  send();
  return socket;
}
