import {
  idempotentMethods,
  type Access,
  type HeaderPolicy,
  type Headers,
  type Match,
  type PathMatch,
  type Policy,
  type Route,
  type TextMatch,
} from '../policy.ts';
import { mapValues } from '../map-values.ts';
import { sizeBytes } from './expectations.ts';
import { listed as list } from './normalise-parts.ts';
import type * as input from './policy-authoring.ts';

const defaults = {
  redirectStatus: 308,
  retryAfterSeconds: 300,
  contentType: 'text/html; charset=utf-8',
  retries: { attempts: 3, on: ['empty-response'], methods: idempotentMethods },
  compressed: ['text/', 'application/json', 'application/javascript', 'application/xml', 'image/svg+xml'],
} as const;

/** A policy with what was not said of a rule filled in; nothing where there is none, so that manifests of before there were any say the same. */
export function normalisePolicy(written: input.PolicyInput | undefined): { policy?: Policy } {
  const { policy = {} } = normalisePolicyChange(written);
  const used = Object.entries(policy).filter(([, member]) => typeof member !== 'object' || Object.keys(member).length > 0);
  return used.length === 0 ? {} : { policy: Object.fromEntries(used) };
}

/** What an environment says of a policy: an empty member takes that of the app away. */
export const normalisePolicyChange = (written: input.PolicyInput | undefined): { policy?: Policy } =>
  written === undefined ? {} : { policy: { ...rules(written), ...handling(written) } };

function rules({ routes, redirects, headers, access, rateLimits, patches }: input.PolicyInput): Policy {
  return {
    ...(routes && { routes: routes.map(normaliseRoute) }),
    ...(redirects && { redirects: redirects.map(normaliseRedirect) }),
    ...normaliseHeaderPolicy(headers),
    ...(access && { access: access.map(normaliseAccess) }),
    ...(rateLimits && { rateLimits: mapValues(rateLimits, normaliseRateLimit) }),
    ...(patches && { patches: mapValues(patches, (patch) => list(patch).map(normaliseMatch)) }),
  };
}

function handling({ bodyLimit, timeouts, retries, compression, maintenance, accessLog }: input.PolicyInput): Policy {
  return {
    ...(accessLog && { accessLog }),
    ...normaliseBodyLimit(bodyLimit),
    ...(timeouts && { timeouts }),
    ...(retries && { retries: { ...defaults.retries, ...retries } }),
    ...(compression && {
      compression: { types: compression.types ?? defaults.compressed },
    }),
    ...(maintenance && {
      maintenance: {
        body: maintenance.body,
        contentType: maintenance.contentType ?? defaults.contentType,
        retryAfterSeconds: maintenance.retryAfterSeconds ?? defaults.retryAfterSeconds,
        except: maintenance.except ?? [],
      },
    }),
  };
}

const normaliseRoute = ({ host, path, service, headers, bodyLimit }: input.RouteInput): Route => ({
  ...(host !== undefined && { host }),
  path: rulePath(path ?? '/'),
  service,
  ...normaliseHeaderPolicy(headers),
  ...normaliseBodyLimit(bodyLimit),
});

function normaliseRedirect({ from, to, status, keepQuery }: input.RedirectInput) {
  const exact = typeof from.path === 'object';
  return {
    ...(from.host !== undefined && { host: from.host }),
    // One path alone may end in a slash; with all below it, it has none.
    path: typeof from.path === 'object' ? from.path.exact : rulePath(from.path ?? '/'),
    exact,
    to,
    status: status ?? defaults.redirectStatus,
    keepQuery: keepQuery ?? true,
  };
}

const normaliseAccess = (rule: input.AllowInput | input.DenyInput): Access => ({ action: rule.action, match: normaliseMatch(rule) });

const normaliseRateLimit = ({ requests, periodMs, burst, for: match }: input.RateLimitInput) => ({
  requests,
  periodMs,
  burst: burst ?? requests,
  ...(match && { for: normaliseMatch(match) }),
});

const normaliseBodyLimit = (limit: input.PolicyInput['bodyLimit']): { bodyLimitBytes?: number } =>
  limit === undefined ? {} : { bodyLimitBytes: sizeBytes(limit) };

function normaliseHeaderPolicy(headers: input.HeaderPolicyInput | undefined): { headers?: HeaderPolicy } {
  if (headers === undefined) return {};
  const policy: HeaderPolicy = {
    ...(headers.request && { request: normaliseHeaders(headers.request) }),
    ...(headers.response && { response: normaliseHeaders(headers.response) }),
  };
  return { headers: policy };
}

const normaliseHeaders = ({ set = {}, add = {}, remove = [] }: input.HeadersInput): Headers => ({ set, add, remove });

function normaliseMatch({ host, path, method, query, header, source }: input.MatchInput): Match {
  return {
    ...(host !== undefined && { host: list(host) }),
    ...(path !== undefined && { path: list(path).map(normalisePath) }),
    ...(method !== undefined && { method: list(method) }),
    ...(query && { query: mapValues(query, normaliseText) }),
    ...(header && { header: mapValues(header, normaliseText) }),
    ...(source !== undefined && { source: list(source) }),
  };
}

const normalisePath = (path: input.PathInput): PathMatch => (typeof path === 'string' ? { under: rulePath(path) } : path);

function normaliseText(text: input.TextInput): TextMatch {
  if (text === true) return { present: true };
  return typeof text === 'string' ? { exact: text } : text;
}

/** `/admin/` and `/admin` have the same below them. */
export const rulePath = (path: string): string => path.replace(/(?<=.)\/$/, '');
