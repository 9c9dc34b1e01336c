import { createHash, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** What a token lets its holder do; each includes those before it. */
export const scopes = ['read', 'deploy', 'admin'] as const;

export type Scope = (typeof scopes)[number];

export const isScope = (text: string): text is Scope => (scopes as readonly string[]).includes(text);

/** Whether who has the one may do what needs the other. */
export const includesScope = (has: Scope, needs: Scope): boolean => scopes.indexOf(has) >= scopes.indexOf(needs);

const prefix = 'chg_';

/** Hex characters of chance in a token: 160 bits. */
export const tokenCharacters = 40;

const checksumOf = (chance: string): string => crc32(chance).toString(16).padStart(8, '0');

/** A token of so much chance. Its beginning and its checksum let scanners of repositories find one that was published, and nothing else. */
export const tokenOf = (chance: string): string => `${prefix}${chance}${checksumOf(chance)}`;

/** Whether it can be a token at all: so who mistyped one is told so, and nobody is looked up. */
export function isToken(text: string): boolean {
  const [, chance = '', checksum] = /^chg_([0-9a-f]{40})([0-9a-f]{8})$/.exec(text) ?? [];
  return checksum === checksumOf(chance);
}

/** All that is ever kept of a token: SHA-256, as hex. What is drawn from 160 bits of chance needs nothing slower. */
export const digestOfToken = (token: string): string => createHash('sha256').update(token).digest('hex');

/** In a time that does not tell how much of it is right. */
export const isSameDigest = (wanted: string, given: string): boolean =>
  wanted.length === given.length && timingSafeEqual(Buffer.from(wanted), Buffer.from(given));

/** What a token may be called. */
export const isTokenName = (text: string): boolean => /^[a-z0-9][a-z0-9._-]{0,62}$/.test(text);
