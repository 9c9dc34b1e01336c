import { z } from 'zod';
import { accessLogs, idempotentMethods, redirectStatuses, retryReasons, timeLimits, type Policy } from '../policy.ts';

// An app's policy as validated, for the published schema of the manifest; `satisfies` keeps it in step with policy.ts.

const texts = z.array(z.string()).readonly();
const named = <Value extends z.ZodType>(value: Value) => z.record(z.string(), value).readonly();
const exact = z.strictObject({ exact: z.string() });
const matches = z.strictObject({ matches: z.string() });
const text = z.union([exact, matches, z.strictObject({ contains: z.string() }), z.strictObject({ present: z.literal(true) })]);
const match = z
  .strictObject({
    host: texts.exactOptional(),
    path: z
      .array(z.union([exact, matches, z.strictObject({ under: z.string() })]))
      .readonly()
      .exactOptional(),
    method: texts.exactOptional(),
    query: named(text).exactOptional(),
    header: named(text).exactOptional(),
    source: texts.exactOptional(),
  })
  .describe('All that is said has to fit; of a list, one of it.');
const headers = z.strictObject({ set: named(z.string()), add: named(z.string()), remove: texts });
const headerPolicy = z.strictObject({ request: headers.exactOptional(), response: headers.exactOptional() }).exactOptional();
const bodyLimitBytes = z.int().exactOptional();
const route = z.strictObject({
  host: z.string().exactOptional(),
  path: z.string(),
  service: z.string(),
  headers: headerPolicy,
  bodyLimitBytes,
});
const redirect = z.strictObject({
  host: z.string().exactOptional(),
  path: z.string(),
  exact: z.boolean(),
  to: z.string(),
  status: z.union(redirectStatuses.map((status) => z.literal(status))),
  keepQuery: z.boolean(),
});

/** The shape of a validated policy. */
export const policyModel = z
  .strictObject({
    routes: z.array(route).readonly().exactOptional(),
    redirects: z.array(redirect).readonly().exactOptional(),
    headers: headerPolicy,
    access: z
      .array(z.strictObject({ action: z.enum(['allow', 'deny']), match }))
      .readonly()
      .exactOptional(),
    rateLimits: named(z.strictObject({ requests: z.int(), periodMs: z.int(), burst: z.int(), for: match.exactOptional() })).exactOptional(),
    bodyLimitBytes,
    timeouts: z.partialRecord(z.enum(timeLimits), z.int()).readonly().exactOptional(),
    retries: z
      .strictObject({
        attempts: z.int(),
        on: z.array(z.union(retryReasons.map((reason) => z.literal(reason)))).readonly(),
        methods: z.array(z.enum(idempotentMethods)).readonly(),
      })
      .exactOptional(),
    compression: z.strictObject({ types: texts }).exactOptional(),
    maintenance: z.strictObject({ body: z.string(), contentType: z.string(), retryAfterSeconds: z.int(), except: texts }).exactOptional(),
    patches: named(z.array(match).readonly()).exactOptional(),
    accessLog: z.enum(accessLogs).describe('Which requests its data path writes down.').exactOptional(),
  })
  .describe("What an app's data path does with requests and answers.") satisfies z.ZodType<Policy>;
