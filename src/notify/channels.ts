import type { Channel } from '../architecture/model.ts';
import type { RecordedEvent, Report } from '../events.ts';
import type { Timers } from '../timers.ts';
import { noticeOf } from './notice.ts';

/** Where messages go. `post` resolves with the status of the answer, and rejects where none came. */
export type Sending = {
  architecture: string;
  environment: string;
  channels: Readonly<Record<string, Channel>>;
  post: (url: string, body: string) => Promise<number>;
  timers: Timers;
  /** Told of a message that nobody took. */
  report: Report;
};

/** After each failure, how long until the next try. */
const pausesMs: readonly number[] = [1000, 5000, 25_000];

/**
 * Tells every channel what is worth a message, as JSON with `text` (the form Slack and its likes take) and the event. Never waits
 * and never throws; tries four times, and then says that nobody took it. What is still to be tried is lost with the controller.
 */
export const tellChannels =
  (sending: Sending) =>
  (event: RecordedEvent): void => {
    const notice = noticeOf(event);
    if (notice === undefined) return;
    const text = `${sending.architecture} (${sending.environment}): ${notice}`;
    for (const [name, { webhook }] of Object.entries(sending.channels))
      void deliver(sending, { name, webhook, body: JSON.stringify({ text, event }) });
  };

async function deliver(
  { post, timers, report }: Sending,
  { name, webhook, body }: { name: string; webhook: string; body: string },
): Promise<void> {
  let why = '';
  for (const pauseMs of [...pausesMs, undefined]) {
    try {
      const status = await post(webhook, body);
      if (status >= 200 && status < 300) return;
      why = `it answered ${status}`;
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
    if (pauseMs !== undefined) await new Promise<void>((resolve) => void timers.after(pauseMs, resolve));
  }
  report({ type: 'notice-lost', channel: name, why });
}

/** A POST over HTTP, given up after five seconds. */
export async function postJson(url: string, body: string): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(5000) });
  await response.body?.cancel();
  return response.status;
}
