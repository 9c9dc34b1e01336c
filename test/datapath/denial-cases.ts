/** Words of a path that a rule denies, as they were published to get past such a rule. Each is a target as it is sent. */

/** One spelling of `admin` each. */
const words = [
  'admin',
  'ADMIN',
  'aDmIn',
  '%61dmin',
  '%41DMIN',
  'a%64min',
  '%61%64%6d%69%6e',
  '%61%64%6D%69%6E',
  '%2561dmin',
  '%252561dmin',
  '%u0061dmin',
  '%c1%a1dmin',
  '%e0%81%a1dmin',
  '%f0%80%81%a1dmin',
  '%%361dmin',
  '%6%31dmin',
];

/** What may stand before it. */
const before = [
  '/',
  '//',
  '///',
  '/./',
  '/.//',
  '/x/../',
  '/x/./../',
  '/%2e/',
  '/%2E/',
  '/x/%2e%2e/',
  '/x/.%2e/',
  '/x/%2e./',
  '/x/..%2f',
  '/%2f',
  '/x%2f../',
  '/x/..%5c',
  '/x/..\\',
  '/\\',
  '/x\\..\\',
  '/%5c',
  '/%252f',
  '/x/%252e%252e/',
  '/x/%252e%252e%252f',
  '/%c0%af',
  '/%e0%80%af',
  '/x/%c0%ae%c0%ae/',
  '/;/',
  '/;x=1/',
  '/x/..;/',
  '/x/..;a=b/',
  '/.;/',
  '/x/;/../',
  '/%00/',
  '/x/%00/../',
  '/%09/',
  '/%20/',
  '/%20%20/x/%20/../',
  '/%0a/',
  '/x/..%00/',
  '/..//',
  '/x/../../',
  '/%2e%2e/',
  'http://shop.localhost/',
  'http://shop.localhost//',
  'HTTP://SHOP.localhost/x/../',
  'https://shop.localhost/',
  'x://shop.localhost/',
  '',
  '@',
  '@/',
  'x@',
  '*/',
  '/#/../',
];

/** What may stand behind it. */
const behind = [
  '',
  '/',
  '//',
  '/x',
  '/.',
  '/./',
  '/..',
  '/x/..',
  '/../admin',
  '%2f',
  '%2fx',
  '%5c',
  '\\',
  ';',
  ';x',
  ';x=1/y',
  ';/x',
  '%3b',
  '%3bx',
  '%00',
  '%00.png',
  '%09',
  '%0a',
  '%0d%0a',
  '%20',
  '%20/',
  '%23',
  '%23x',
  '#',
  '#x',
  '%3f',
  '%3fx=1',
  '?',
  '?x=/public',
  '/%2e',
  '/;x',
  '%25%30%30',
  '%252f',
  '%2500',
  '%7f',
  '\x00',
  '\x01',
  '\x7f',
  '\x85',
  '\xa0',
  '\xff',
  '\t',
];

/** Every word behind every beginning, and with every end: targets that somebody may take for what is below `/admin`. */
export const denials: readonly string[] = [
  ...new Set([
    ...words.flatMap((word) => before.map((start) => `${start}${word}`)),
    ...words.flatMap((word) => behind.map((end) => `/${word}${end}`)),
    ...before.flatMap((start) => behind.map((end) => `${start}admin${end}`)),
  ]),
];

/** What targets may be put together from. */
export const fragments: readonly string[] = [
  ' ',
  'http://shop.localhost',
  ...String.raw`/ // . .. %2e %2f %5c \ ; ;x admin ADMIN %61dmin %2561dmin a%25dmin %u0061dmin %25 % x %20 %3f %23`.split(' '),
  ...'%3b %00 %09 %0a %a0 %c2%a0 %c0%af ? # + * @ :'.split(' '),
];

/** Targets that nobody takes for it, and that have to get through. */
export const innocents = [
  '/',
  '/administrator',
  '/x/admin',
  '/a.b/..c/d..',
  '/50%25',
  '/a%20b',
  '/%E2%82%AC',
  '/wiki/What%3F',
  '/a;b/c',
  '/~x/%7Ex',
  '/x?path=/../admin%2f%zz',
  '/x?next=http://shop.localhost/admin',
];

/**
 * Whether some service may take a target for what is below `/admin`: decoded once or twice, with backslashes as slashes, without
 * parameters, cut at whatever ends a path for somebody, with dot segments resolved before or after. Knows nothing of the proxy.
 */
export function mayBeDenied(target: string): boolean {
  const readings = new Set([pathOf(target)]);
  // Readings of readings, until there is nothing new: each step makes a text shorter, or changes what the next one finds.
  for (const reading of readings) for (const step of steps) readings.add(step(reading));
  return [...readings].some((reading) => /^\/+admin(\/|$)/i.test(reading));
}

const pathOf = (target: string): string => target.replace(/^[^/?#]*:\/\/[^/?#]*/, '').replace(/\?[^]*$/, '');

const steps: readonly ((path: string) => string)[] = [
  (path) => path.replaceAll(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
  (path) => path.replaceAll(/%u00([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
  // UTF-8 that is longer than it has to be.
  (path) =>
    path.replaceAll(/[\xc0\xc1]([\x80-\xbf])/g, (text) => String.fromCharCode(((text.charCodeAt(0) & 1) << 6) | (text.charCodeAt(1) & 63))),
  (path) =>
    path.replaceAll(/(?:\xe0|\xf0\x80)([\x80\x81])([\x80-\xbf])/g, (_, high: string, low: string) =>
      String.fromCharCode(((high.charCodeAt(0) & 1) << 6) | (low.charCodeAt(0) & 63)),
    ),
  (path) => path.replaceAll('\\', '/'),
  (path) => path.replaceAll(/;[^/]*/g, ''),
  (path) => path.replaceAll(/\/+/g, '/'),
  (path) => path.replace(/[?#\0-\x1f\x7f][^]*$/, ''),
  (path) => path.replaceAll(/ +(?=\/|$)/g, ''),
  (path) => path.replaceAll(/[\0\t\r\n]/g, ''),
  (path) => resolved(path),
];

function resolved(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/').slice(1)) {
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
  }
  return `/${kept.join('/')}`;
}
