import type { Secret } from '../secret.ts';
import { headerOf, isDeliveryId, refuse, type Judgement, type WebhookRequest } from './judgement.ts';
import { parseBody } from './parse-body.ts';
import { isOf, readPush } from './push.ts';
import { isSame, keysOf, standardSignature, type StandardMessage } from '../signature.ts';

/** How far a sender's clock may be from ours. */
export const staleMs = 5 * 60_000;

/**
 * A webhook of anybody's, signed as Standard Webhooks (standardwebhooks.com) say: `webhook-id`, `webhook-timestamp` (seconds) and
 * `webhook-signature`, a list of `v1,<base64>` of HMAC-SHA256 over `id.timestamp.body`. The body is an object; its `type` is the kind of
 * the delivery, and one of type `push` has `repository`, `ref`, `before` and `after` beside it.
 */
export function judgeSigned(webhook: { name: string; repository?: string; secret: Secret }, request: WebhookRequest): Judgement {
  const id = headerOf(request, 'webhook-id');
  const timestamp = headerOf(request, 'webhook-timestamp');
  if (!isDeliveryId(id) || timestamp === undefined || !/^\d{1,12}$/.test(timestamp))
    return refuse('webhook-id or webhook-timestamp is missing, or none', 401);
  if (!isSigned(webhook.secret, request, { id, timestamp, body: request.body }))
    return refuse('the signature (webhook-signature) is missing or wrong', 401);
  if (Math.abs(Number(timestamp) * 1000 - request.receivedAt.getTime()) > staleMs)
    return refuse(`webhook-timestamp is more than ${staleMs / 60_000} minutes from now`, 401);
  const parsed = parseBody(request.body);
  if (!parsed.ok) return refuse(parsed.problem);
  const { type } = parsed.value;
  if (typeof type !== 'string' || !/^[\w.-]{1,64}$/.test(type)) return refuse('the body has no type: a word such as push');
  const base = { source: webhook.name, id, kind: type, receivedAt: request.receivedAt.toISOString(), body: request.body };
  if (type !== 'push') return { kind: 'take', delivery: base };
  const push = readPush(parsed.value);
  if (!push.ok) return refuse(push.problem);
  if (push.value.branch === undefined) return { kind: 'ignore', why: 'only branches are worked on' };
  if (!isOf(webhook.repository, push.value.repository)) return { kind: 'ignore', why: 'the push is of another repository' };
  return { kind: 'take', delivery: { ...base, ...push.value } };
}

function isSigned(secret: Secret, request: WebhookRequest, signed: StandardMessage): boolean {
  const given = (headerOf(request, 'webhook-signature') ?? '')
    .split(' ')
    .flatMap((part) => (part.startsWith('v1,') ? [Buffer.from(part.slice(3), 'base64')] : []));
  return keysOf(secret).some((key) => {
    const wanted = standardSignature(key, signed);
    return given.some((each) => isSame(wanted, each));
  });
}
