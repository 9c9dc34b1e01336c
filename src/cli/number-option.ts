import { done, failed, type Result } from '../result.ts';
import { type Input, textOption } from './command.ts';

/** A whole number from 0 given as an option; `otherwise` when it was not given. */
export function numberOption(input: Input, name: string, otherwise: number): Result<number> {
  const text = textOption(input, name);
  if (text === undefined) return done(otherwise);
  if (/^\d{1,9}$/.test(text)) return done(Number(text));
  return failed({
    code: 'USAGE',
    what: `--${name} wants a whole number, not ${JSON.stringify(text)}`,
    safe: 'nothing was changed',
    next: `for example --${name} ${otherwise}`,
  });
}
