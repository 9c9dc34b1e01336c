import type { Result } from '../result.ts';
import type { Place } from './delivery.ts';
import type { World } from './world.ts';

export type OptionValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** What the command line said, after parsing. */
export type Input = {
  arguments: readonly (string | undefined)[];
  options: OptionValues;
  json: boolean;
  /** Absolute folder of architecture.ts. */
  folder: string;
};

/**
 * Said when Ctrl-C ends a command: what was changed so far and what still serves. Commands move it along. `tidy`: what has to be over
 * before the process ends; a second Ctrl-C does not wait for it.
 */
export type Interruption = { safe: string; next?: string; tidy?: () => Promise<void> };

export type Session = { world: World; input: Input; interruption: Interruption };

/** An exit code, or the problem that decides it. */
export type CommandResult = Promise<Result<number>>;

/** What each file in commands/ exports. */
export type CommandModule = { run: (session: Session) => CommandResult };

/** The value of an option that takes one; undefined when it was not given. */
export function textOption(input: Input, name: string): string | undefined {
  const value = input.options[name];
  return typeof value === 'string' ? value : undefined;
}

/** The values of an option that may be given several times. */
export function listOption(input: Input, name: string): readonly string[] {
  const value = input.options[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

export const flag = (input: Input, name: string): boolean => input.options[name] === true;

/** Where the command works. */
export const placeOf = ({ world, input: { folder } }: Session): Place => ({
  folder,
  cacheFolder: world.cacheFolder,
  engine: world.engine,
  signal: world.signal,
});

/** The answer as JSON on stdout: objects carry the version of their keys. */
export function answerJson(session: Session, answer: object): void {
  const versioned = Array.isArray(answer) ? answer : { version: 1, ...answer };
  session.world.stdout.write(`${JSON.stringify(versioned, null, 2)}\n`);
}

/** The answer for people, on stdout. */
export const answer = (session: Session, text: string): void => session.world.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
