import type { Http, HttpAnswer } from '../http.ts';
import { retryAfterMs } from '../http.ts';
import { digestOf } from '../digest.ts';
import type { LedgerEntry } from '../ledger/channel-places.ts';
import type { Result } from '../result.ts';
import type { Secret } from '../secret.ts';
import { keysOf, standardSignature } from '../signature.ts';
import { noticedTypes, noticeOf } from './notice.ts';
import type { Outlet, Sending, Sent } from './outlet.ts';
import { Repeats } from './repeats.ts';

/**
 * Where a channel is. What is asked for when it is needed may be a secret that cannot be opened just now; the problem says why.
 * `key`: signs what is sent, where there is one.
 */
export type ChannelSetup = {
  name: string;
  architecture: string;
  environment: string;
  address: () => Promise<Result<string, string>>;
  key: () => Promise<Result<Secret | undefined, string>>;
  http: Http;
};

/**
 * A channel is sent JSON with `text`, as Slack and its likes take it, with `event`, and with the headers of Standard Webhooks:
 * `webhook-id` is the same however often a message is sent, so that whoever gets one twice can tell.
 */
export function channelOutlet(setup: ChannelSetup): Outlet {
  const repeats = new Repeats();
  return {
    name: setup.name,
    types: noticedTypes,
    letters: (entries) =>
      entries.flatMap((entry) => {
        const notice = repeats.isOne(entry) ? undefined : noticeOf(entry.event);
        if (notice === undefined) return [];
        return [{ number: entry.number, send: (sending: Sending) => send(setup, { entry, notice }, sending) }];
      }),
  };
}

async function send(setup: ChannelSetup, message: { entry: LedgerEntry; notice: string }, sending: Sending): Promise<Sent> {
  const [address, key] = [await setup.address(), await setup.key()];
  if (!address.ok) return { state: 'later', why: address.problem };
  if (!key.ok) return { state: 'later', why: key.problem };
  const body = bodyOf(setup, message, sending);
  const headers = headersOf(setup, message.entry, { body, key: key.value, now: sending.now });
  const answer = await setup.http({ method: 'POST', url: address.value, headers, body, signal: sending.signal });
  return answer.ok ? judged(answer.value, sending.now) : { state: 'later', why: answer.problem };
}

function bodyOf(
  { architecture, environment }: ChannelSetup,
  { entry, notice }: { entry: LedgerEntry; notice: string },
  { dropped }: Sending,
) {
  const lost = dropped === 0 ? '' : `\n${dropped} message${dropped === 1 ? '' : 's'} before this one could not be delivered, and are lost`;
  const { event } = entry;
  return JSON.stringify({ type: event.type, timestamp: event.at, text: `${architecture} (${environment}): ${notice}${lost}`, event });
}

function headersOf(
  { name, architecture, environment }: ChannelSetup,
  { digest }: LedgerEntry,
  { body, key, now }: { body: string; key: Secret | undefined; now: Date },
): Record<string, string> {
  const id = `msg_${digestOf([architecture, environment, name, digest]).slice(0, 32)}`;
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const headers = { 'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': timestamp };
  if (key === undefined) return headers;
  const signatures = keysOf(key).map((each) => `v1,${standardSignature(each, { id, timestamp, body }).toString('base64')}`);
  return { ...headers, 'webhook-signature': signatures.join(' ') };
}

/** What says that this very message cannot be taken; all else may be otherwise another time. */
const refusals = new Set([400, 413, 415, 422]);

function judged(answer: HttpAnswer, now: Date): Sent {
  const { status } = answer;
  if (status >= 200 && status < 300) return { state: 'taken' };
  const why = `it answered ${status}`;
  if (refusals.has(status)) return { state: 'refused', why };
  const afterMs = retryAfterMs(answer, now.getTime());
  return { state: 'later', why, ...(afterMs !== undefined && { afterMs }) };
}
