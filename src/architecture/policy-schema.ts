import { z } from 'zod';
import { accessLogs, idempotentMethods, redirectStatuses, retryReasons, timeLimits } from '../policy.ts';
import { isAddressRange } from '../source-rules.ts';
import { isHostName, isWebAddress } from './expectations.ts';
import { members, oneOrMore, size, text, whole } from './schema-parts.ts';

// What may be written as an app's policy. Whatever text it has ends up in a configuration or in an answer.

const isPlain = (value: string): boolean => value !== '' && !/[\u0000-\u001f\u007f]/.test(value);

/** A path as rules see it: decoded, and in one spelling only. */
const isRulePath = (value: string): boolean =>
  value.startsWith('/') && !/[\u0000-\u001f\u007f%?#;\\]/.test(value) && !/\/\/|(^|\/)\.{1,2}(\/|$)/.test(value);

const record = <Value extends z.ZodType>(key: z.ZodType<string, string>, value: Value) => z.record(key, value);

const host = text('a host name in lower case', isHostName);
const rulePath = text('a path that starts with /, decoded, without //, /./, /../, and none of % ? # ; \\', isRulePath);
// Whether it is one, the proxy says, whose expressions they are.
const pattern = text('a regular expression without control characters', isPlain);
const plain = text('text without control characters', isPlain);
const headerName = text('the name of a header: letters, digits, hyphens, underscores', (value) => /^[A-Za-z0-9_-]{1,100}$/.test(value));
// Of headers with other names none gets as far as the rules.
const matchedHeader = text('the name of a header that gets through: letters, digits, hyphens', (value) =>
  /^[A-Za-z0-9-]{1,100}$/.test(value),
);
const ruleName = text('a name of letters, digits, dots, hyphens and underscores, at most 64 characters', (value) =>
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(value),
);
const method = text('a method in capitals', (value) => /^[A-Z]{1,20}$/.test(value));
const network = text("an address or a network such as '10.0.0.0/8'", isAddressRange);
const milliseconds = (most: number) => whole(1, most).optional();
const day = 86_400_000;

const exactPath = members({ exact: rulePath });
const path = z.union([rulePath, exactPath, members({ matches: pattern })]);
const textMatch = z.union([plain, z.literal(true, 'true'), members({ contains: plain }), members({ matches: pattern })]);

const match = {
  host: oneOrMore(host, 'at least one host name').optional(),
  path: oneOrMore(path, 'at least one path').optional(),
  method: oneOrMore(method, 'at least one method').optional(),
  query: record(plain, textMatch).optional(),
  header: record(matchedHeader, textMatch).optional(),
  source: oneOrMore(network, 'at least one address or network').optional(),
};
const saysSomething = ({ action: _, ...conditions }: { action?: string; [key: string]: unknown }): boolean =>
  Object.values(conditions).some((value) => value !== undefined);
const something = 'at least one of host, path, method, query, header, source';
const action = <Word extends string>(word: Word) =>
  members({ ...match, action: z.literal(word, `${word}()`) }).refine(saysSomething, something);
const deny = action('deny');

// What frames a message or says who the client is belongs to the proxy, and x-changeless-... to Changeless.
const isOwnHeader = (name: string): boolean =>
  /^(connection|content-length|host|keep-alive|te|trailer|transfer-encoding|upgrade|x-forwarded-for|x-forwarded-proto|x-request-id|x-changeless-.*)$/i.test(
    name,
  );
const policyHeader = headerName.refine((name) => !isOwnHeader(name), 'a header that is not set by the data path itself');
const values = record(policyHeader, plain).optional();
const headers = members({ set: values, add: values, remove: z.array(policyHeader, 'a list of headers').optional() });
const headerPolicy = members({ request: headers.optional(), response: headers.optional() });

const route = members({
  host: host.optional(),
  path: rulePath.optional(),
  service: text('the name of a service of the app'),
  headers: headerPolicy.optional(),
  bodyLimit: size.optional(),
});

const isTarget = (value: string): boolean =>
  /^[\u0021-\u007e]+$/.test(value) && !/[#?]/.test(value) && (/^\/(?![/\\])/.test(value) || isWebAddress(value));
const redirect = members({
  from: members({ host: host.optional(), path: z.union([rulePath, exactPath]).optional() }).refine(saysSomething, 'a host or a path'),
  to: text('a path, or an address that starts with http:// or https://, encoded, without ? and #', isTarget),
  status: z
    .union(
      redirectStatuses.map((status) => z.literal(status, `one of ${redirectStatuses.join(', ')}`)),
      `one of ${redirectStatuses.join(', ')}`,
    )
    .optional(),
  keepQuery: z.boolean('true or false').optional(),
});

const rateLimit = members({
  requests: whole(1, 1_000_000),
  periodMs: whole(1, day),
  burst: whole(1, 1_000_000).optional(),
  for: members(match).refine(saysSomething, something).optional(),
});
const mostRateLimits = 8;

const mostMs: Readonly<Record<(typeof timeLimits)[number], number>> = {
  headersMs: day,
  requestMs: 600_000,
  responseMs: 600_000,
  idleMs: day,
  tunnelMs: day,
};
const timeouts = members(Object.fromEntries(timeLimits.map((name) => [name, milliseconds(mostMs[name])])));

const reasons = retryReasons.join(', ');
const retries = members({
  attempts: whole(0, 10).optional(),
  on: z
    .array(
      z.union(
        retryReasons.map((reason) => z.literal(reason, `one of ${reasons}`)),
        `one of ${reasons}`,
      ),
      'a list',
    )
    .optional(),
  methods: z
    .array(z.enum(idempotentMethods, `one of ${idempotentMethods.join(', ')}, which may be repeated`), 'a list of methods')
    .min(1, 'at least one method')
    .optional(),
});

const mediaType = text("a media type such as 'text/html'", (value) => /^[a-z0-9.+-]+\/[a-z0-9.+-]+$/.test(value));
const compression = members({ types: z.array(mediaType, 'a list').min(1, 'at least one').optional() });

const maintenance = members({
  body: text('text of at most 8 KiB, without NUL', (value) => !value.includes('\0') && Buffer.byteLength(value) <= 8192),
  contentType: plain.optional(),
  retryAfterSeconds: whole(1, day).optional(),
  except: z.array(network, 'a list of addresses and networks').optional(),
});

/** What may be written as `policy`. */
export const policy = members({
  routes: z.array(route, 'a list of routes').optional(),
  redirects: z.array(redirect, 'a list of redirects').optional(),
  headers: headerPolicy.optional(),
  access: z.array(z.union([deny, action('allow')]), 'a list of allow() and deny()').optional(),
  rateLimits: record(ruleName, rateLimit)
    .refine((limits) => Object.keys(limits).length <= mostRateLimits, `at most ${mostRateLimits} rate limits`)
    .optional(),
  bodyLimit: size.optional(),
  timeouts: timeouts.optional(),
  retries: retries.optional(),
  compression: compression.optional(),
  maintenance: maintenance.optional(),
  patches: record(ruleName, oneOrMore(deny, 'at least one deny()')).optional(),
  accessLog: z.enum(accessLogs, `one of ${accessLogs.join(', ')}`).optional(),
});
