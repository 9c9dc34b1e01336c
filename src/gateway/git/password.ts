import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Secret } from '../../secret.ts';
import { isSame, keysOf } from '../../signature.ts';

/** `none`: no password was given, as git does first; `wrong`: it is not the secret. */
export type Given = 'right' | 'none' | 'wrong';

/** Looks at the password of HTTP Basic, whatever the user is called, in a time that tells neither its length nor how much is right. */
export function passwordOf({ headers: { authorization } }: IncomingMessage, secret: Secret): Given {
  if (authorization === undefined) return 'none';
  const [, encoded] = /^Basic ([A-Za-z0-9+/=]{1,4096})$/i.exec(authorization) ?? [];
  const said = Buffer.from(encoded ?? '', 'base64').toString('utf8');
  const colon = said.indexOf(':');
  if (colon < 0) return 'wrong';
  const given = digest(said.slice(colon + 1));
  return keysOf(secret).filter((key) => isSame(digest(key), given)).length > 0 ? 'right' : 'wrong';
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
