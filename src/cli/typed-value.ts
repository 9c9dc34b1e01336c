import type { Problem } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import { Secret } from '../secret.ts';
import type { Session } from './command.ts';

const mostBytes = 64 * 1024;
const newline = 10;
const carriageReturn = 13;

/** A value that is typed and not shown, or standard input to its end. A text of one line loses its line's end: `echo` and editors add one. */
export async function typedValue({ world }: Session, name: string): Promise<Result<Secret>> {
  const { stdin } = world;
  const typed = stdin.isTerminal ? await stdin.readHidden(`value of ${name} (not shown): `) : await stdin.read();
  if (typed === undefined) return failed(refused('no value was given'));
  const bytes = withoutLineEnd(typeof typed === 'string' ? new TextEncoder().encode(typed) : typed);
  if (bytes.length === 0) return failed(refused('the value is empty'));
  if (bytes.length > mostBytes) return failed(refused(`the value has ${bytes.length} bytes, more than ${mostBytes}`));
  return done(new Secret(bytes));
}

function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  if (bytes.indexOf(newline) !== bytes.length - 1 || bytes.length === 0) return bytes;
  return bytes.subarray(0, bytes.at(-2) === carriageReturn ? -2 : -1);
}

const refused = (what: string): Problem => ({
  code: 'USAGE',
  what,
  safe: 'nothing was written',
  next: 'type it at the prompt, or: changeless secret add <name> < file',
});
