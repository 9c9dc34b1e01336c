import { failed, done, type Result } from '../result.ts';

/** Webhooks are a few levels deep. */
const mostLevels = 64;

/** An object of JSON, or a sentence that says what else it is. Never deeper than can be walked through. */
export function parseBody(body: Buffer): Result<Record<string, unknown>, string> {
  if (isDeep(body)) return failed(`the body is nested deeper than ${mostLevels} levels`);
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return done(value as Record<string, unknown>);
    return failed('the body is JSON, but not an object');
  } catch {
    return failed('the body is not JSON');
  }
}

const [quote, backslash, openObject, openList, closeObject, closeList] = [...Buffer.from('"\\{[}]')];

// Before parsing: the memory of what is parsed grows with its depth.
function isDeep(body: Buffer): boolean {
  let level = 0;
  let isText = false;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (isText) {
      if (byte === backslash) at += 1;
      else if (byte === quote) isText = false;
    } else if (byte === quote) isText = true;
    else if (byte === openObject || byte === openList) {
      level += 1;
      if (level > mostLevels) return true;
    } else if (byte === closeObject || byte === closeList) level -= 1;
  }
  return false;
}
