/** Which requests an app's data path writes down: all, those that failed (5xx, refused, or never answered), none. */
export const accessLogs = ['all', 'failures', 'none'] as const;

export type AccessLog = (typeof accessLogs)[number];

/** An app's policy after validation, in the order in which it was written. What was not said is left out. */
export type Policy = {
  routes?: readonly Route[];
  redirects?: readonly Redirect[];
  headers?: HeaderPolicy;
  access?: readonly Access[];
  rateLimits?: Readonly<Record<string, RateLimit>>;
  bodyLimitBytes?: number;
  timeouts?: Partial<Readonly<Record<TimeLimit, number>>>;
  retries?: Retries;
  compression?: { types: readonly string[] };
  maintenance?: { body: string; contentType: string; retryAfterSeconds: number; except: readonly string[] };
  /** Several matches of one patch are alternatives. */
  patches?: Readonly<Record<string, readonly Match[]>>;
  accessLog?: AccessLog;
};

/** `path`: with all below it. */
export type Route = { host?: string; path: string; service: string; headers?: HeaderPolicy; bodyLimitBytes?: number };

/** Without `exact`, what is below the path is put behind `to`. */
export type Redirect = { host?: string; path: string; exact: boolean; to: string; status: number; keepQuery: boolean };

export type Headers = { set: Readonly<Record<string, string>>; add: Readonly<Record<string, string>>; remove: readonly string[] };

export type HeaderPolicy = { request?: Headers; response?: Headers };

export type PathMatch = { under: string } | { exact: string } | { matches: string };

export type TextMatch = { exact: string } | { contains: string } | { matches: string } | { present: true };

/** All members have to fit, of a list one. */
export type Match = {
  host?: readonly string[];
  path?: readonly PathMatch[];
  method?: readonly string[];
  query?: Readonly<Record<string, TextMatch>>;
  header?: Readonly<Record<string, TextMatch>>;
  source?: readonly string[];
};

export type Access = { action: 'allow' | 'deny'; match: Match };

export type RateLimit = { requests: number; periodMs: number; burst: number; for?: Match };

export const timeLimits = ['headersMs', 'requestMs', 'responseMs', 'idleMs', 'tunnelMs'] as const;

export type TimeLimit = (typeof timeLimits)[number];

export const idempotentMethods = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'] as const;

export const retryReasons = ['empty-response', 'response-timeout', 500, 502, 503, 504] as const;

export type Retries = {
  attempts: number;
  on: readonly (typeof retryReasons)[number][];
  methods: readonly (typeof idempotentMethods)[number][];
};

export const redirectStatuses = [301, 302, 307, 308] as const;
