import { z } from 'zod';
import { isName, isSecretFile, isSecretName, isSettingName, isSize } from './expectations.ts';

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

/** The name of something of the architecture. */
export const name = text('a name of lower-case letters, digits and hyphens that starts with a letter, at most 40 characters', isName);

export const named = <Value extends z.ZodType>(value: Value) => z.record(name, value);

export const oneOrMore = <Value extends z.ZodType>(value: Value, expected: string) => z.union([value, z.array(value).min(1, expected)]);

export const scalar = z.union([z.string(), z.number(), z.boolean()]);
export const settings = z.record(text('the name of an environment variable, not starting with CHANGELESS_', isSettingName), scalar);
export const secretName = text('a name of letters, digits, - and _ that starts with a letter, at most 64 characters', isSecretName);
const secretFile = text('the name of a file: letters, digits, dots, - and _', isSecretFile);
export const usedSecrets = z.union([z.array(secretName, 'a list of the names of secrets'), z.record(secretName, secretFile)]);
export const limits = members({
  memory: size.optional(),
  processes: whole(1, 4_194_304).optional(),
  cpus: z.number('a number of processor cores').positive('more than 0').optional(),
});
/** The program and its arguments. */
export const words = z.array(text('text'), 'a list: the program and its arguments').min(1, 'the program and its arguments');
