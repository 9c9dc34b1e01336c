import { createHash } from 'node:crypto';
import { isRecord } from '../architecture/key-path.ts';
import type { Secret } from '../secret.ts';
import { headerOf, isDeliveryId, refuse, type Judgement, type WebhookRequest } from './judgement.ts';
import { parseBody } from './parse-body.ts';
import { isOf, readPush } from './push.ts';
import { isSame, keysOf, signatureOf } from '../signature.ts';

/**
 * A webhook as GitHub sends it. The signature is over the bytes that came, and is looked at before anything of them is. GitHub signs
 * neither the id nor a time, so who has seen a push could send it again under another id: it counts once, by its body.
 */
export function judgeGithub(webhook: { name: string; repository?: string; secret: Secret }, request: WebhookRequest): Judgement {
  if (!isSigned(webhook.secret, request)) return refuse('the signature (X-Hub-Signature-256) is missing or wrong', 401);
  const event = headerOf(request, 'x-github-event');
  const id = headerOf(request, 'x-github-delivery');
  if (event === undefined || !isDeliveryId(id)) return refuse('X-GitHub-Event or X-GitHub-Delivery is missing, or no name');
  if (event !== 'push' && event !== 'ping') return { kind: 'ignore', why: 'only push and ping are worked on' };
  if (!/^application\/json\b/i.test(headerOf(request, 'content-type') ?? ''))
    return refuse("the content type is not application/json; choose it in the webhook's settings", 415);
  const parsed = parseBody(request.body);
  if (!parsed.ok) return refuse(parsed.problem);
  const { repository } = parsed.value;
  const fullName = isRecord(repository) ? repository['full_name'] : undefined;
  const base = { source: webhook.name, id, receivedAt: request.receivedAt.toISOString(), body: request.body };
  if (event === 'ping') return { kind: 'take', delivery: { ...base, kind: 'ping' } };
  const push = readPush({ ...parsed.value, repository: fullName });
  if (!push.ok) return refuse(push.problem);
  if (push.value.branch === undefined) return { kind: 'ignore', why: 'only branches are worked on' };
  if (!isOf(webhook.repository, push.value.repository)) return { kind: 'ignore', why: 'the push is of another repository' };
  const once = createHash('sha256').update(request.body).digest('hex');
  return { kind: 'take', delivery: { ...base, kind: 'push', ...push.value, once } };
}

function isSigned(secret: Secret, request: WebhookRequest): boolean {
  const [, hex] = /^sha256=([0-9a-f]{64})$/.exec(headerOf(request, 'x-hub-signature-256') ?? '') ?? [];
  if (hex === undefined) return false;
  const given = Buffer.from(hex, 'hex');
  return keysOf(secret).some((key) => isSame(signatureOf(key, [request.body]), given));
}
