import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from './secret.ts';

/**
 * The keys in a secret's value, one a line, so that an old one and a new one can both be right while they are exchanged.
 */
export const keysOf = (secret: Secret): string[] =>
  secret
    .revealText()
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

/** HMAC-SHA256 over the pieces, one after another. */
export function signatureOf(key: string | Uint8Array, pieces: readonly (string | Uint8Array)[]): Buffer {
  const hmac = createHmac('sha256', key);
  for (const piece of pieces) hmac.update(piece);
  return hmac.digest();
}

/** In a time that does not tell how much of it is right. */
export const isSame = (wanted: Buffer, given: Buffer): boolean => wanted.length === given.length && timingSafeEqual(wanted, given);

export type StandardMessage = { id: string; timestamp: string; body: string | Uint8Array };

/** As Standard Webhooks (standardwebhooks.com) say, of version `v1`; a key that begins with `whsec_` is base64. */
export function standardSignature(key: string, { id, timestamp, body }: StandardMessage): Buffer {
  const bytes = key.startsWith('whsec_') ? Buffer.from(key.slice('whsec_'.length), 'base64') : key;
  return signatureOf(bytes, [`${id}.${timestamp}.`, body]);
}
