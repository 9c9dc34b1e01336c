import { Secret } from '../secret.ts';

/** The keys in an identity file's text: each a line; empty lines and comments are none. */
export const keysIn = (identity: Secret): Secret[] => linesOf(identity.revealText()).map((line) => new Secret(line));

/** An identity file of one key, as age-keygen writes it. */
export const identityText = (key: Secret, recipient: string): Secret => new Secret(`# public key: ${recipient}\n${key.revealText()}\n`);

/** Lines that say something, of a file of keys or recipients. */
export const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
