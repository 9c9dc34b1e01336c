import { z } from 'zod';
import { isSize } from './expectations.ts';

/** Text of a kind that is said in words. */
export const text = (expected: string, accepts: (value: string) => boolean = () => true) => z.string(expected).refine(accepts, expected);

/** A whole number, both ends included. */
export const whole = (minimum: number, maximum: number) => {
  const expected = `a whole number from ${minimum} to ${maximum}`;
  return z.int(expected).min(minimum, expected).max(maximum, expected);
};

/** An object of exactly these keys. The message of an unknown key is the list of the known ones. */
export const members = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject(shape, { error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(', ') : undefined) });

/** Bytes, or a number with a unit. */
export const size = z.union([text("a size such as '256m'", isSize), whole(1, Number.MAX_SAFE_INTEGER)]);
