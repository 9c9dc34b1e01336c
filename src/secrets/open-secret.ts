import type { Problem } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import type { Secret } from '../secret.ts';
import { open } from './age.ts';
import { keysIn } from './identity.ts';

/** One version of a secret as the repository has it. */
export type SealedSecret = { secret: string; version: number; sealed: string };

export type OpenSecret = (sealed: SealedSecret) => Promise<Result<Secret>>;

/**
 * Opens secrets with the identity that is there when one is to be opened: IDENTITY_MISSING when there is none, SECRET_UNREADABLE
 * when it does not open this one. What was opened is remembered: it costs some ten milliseconds of a processor.
 */
export function secretOpener(identity: () => Promise<Secret | undefined>): OpenSecret {
  const opened = new Map<string, Secret>();
  return async (sealed) => {
    const known = opened.get(sealed.sealed);
    if (known) return done(known);
    const there = await identity();
    if (there === undefined) return failed(noIdentity(sealed));
    const value = await open(sealed.sealed, keysIn(there));
    if (value === undefined) return failed(unreadable(sealed));
    opened.set(sealed.sealed, value);
    return done(value);
  };
}

const noIdentity = ({ secret, version }: SealedSecret): Problem => ({
  code: 'IDENTITY_MISSING',
  what: `there is no key here that opens secret ${secret}, version ${version}`,
  next: 'changeless up    on a machine that has the identity file hands it over',
});

const unreadable = ({ secret, version }: SealedSecret): Problem => ({
  code: 'SECRET_UNREADABLE',
  what: `version ${version} of secret ${secret} cannot be opened with the key that is here`,
  why: 'it was encrypted for other keys, or its file is damaged',
  next: `use the identity it was encrypted for (CHANGELESS_IDENTITY, or --identity), or: changeless secret add ${secret}, and name the new version in architecture.ts`,
});
