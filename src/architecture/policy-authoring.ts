import type { Size } from './size-authoring.ts';

/**
 * What an app's data path does with requests before its services see them, and with answers before its clients do. All of it
 * belongs to the path alone: a change replaces the data path over the same instances.
 *
 * Paths are compared decoded, without doubled slashes and without parameters of segments (`;v=1`). Where any rule names a path, the
 * services get no doubled slashes either, and what could be understood in two ways (`/./`, `/../`, `\`, an encoded slash, a broken
 * or doubled escape) is answered 400. What refuses ignores case, for many services do; what permits does not.
 */
export type PolicyInput = {
  /** Where requests go that the entry service does not take. Of those that fit, one with a host comes first, then the longest path. */
  routes?: readonly RouteInput[];
  /** The first that fits. */
  redirects?: readonly RedirectInput[];
  /** Of all requests and answers. */
  headers?: HeaderPolicyInput;
  /** The first that fits decides; what fits none is let on. Who is denied gets 403. */
  access?: readonly (AllowInput | DenyInput)[];
  /** By name, each for itself; at most 8. */
  rateLimits?: { [name: string]: RateLimitInput };
  /** The longest body of a request; a longer one gets 413, one that does not say its length (chunked) 411. No limit when left out. */
  bodyLimit?: Size;
  timeouts?: TimeoutsInput;
  retries?: RetriesInput;
  compression?: CompressionInput;
  maintenance?: MaintenanceInput;
  /**
   * Virtual patches: requests that are not let on until the app itself is corrected, by the name of what they protect from. They come
   * before every other rule; the answer is 403 with the patch's name.
   */
  patches?: { [name: string]: DenyInput | readonly DenyInput[] };
  /**
   * Which requests are written down, as lines of JSON on the data path's standard output, with the client's address and the path, but
   * without its query: `all` when left out, `failures` (what was refused, never answered, or answered 5xx), or `none`.
   */
  accessLog?: 'all' | 'failures' | 'none';
};

/** A path and all below it (`'/admin'`: `/admin`, `/admin/users`, not `/administrator`), one path alone, or a regular expression (PCRE). */
export type PathInput = string | { exact: string } | { matches: string };

/** The whole text, a part of it, a regular expression (PCRE) that it has a match of; or `true`: it is there. */
export type TextInput = string | true | { contains: string } | { matches: string };

export type RouteInput = {
  /** One of the app's host names, here or in an environment; each of them when left out. */
  host?: string;
  /** The path and all below it; `/` when left out. */
  path?: string;
  /** A service of the app. */
  service: string;
  /** Of these requests and their answers, after those of the app. */
  headers?: HeaderPolicyInput;
  /** In place of the app's. */
  bodyLimit?: Size;
};

export type RedirectInput = {
  /** Where a request comes to. A path that is not `exact` brings all below it along, which is put behind `to`. */
  from: { host?: string; path?: string | { exact: string } };
  /** A path, or an address that starts with http:// or https://. */
  to: string;
  /** 308 when left out. */
  status?: 301 | 302 | 307 | 308;
  /** Whether what follows the `?` is kept: yes when left out. */
  keepQuery?: boolean;
};

/** First `remove`, then `set` (in place of those that are there), then `add` (beside them). */
export type HeadersInput = { set?: { [name: string]: string }; add?: { [name: string]: string }; remove?: readonly string[] };

/** `request`: before a service sees it. `response`: of every answer, also those of the data path itself. */
export type HeaderPolicyInput = { request?: HeadersInput; response?: HeadersInput };

/** What a request is like. All that is said has to fit; of a list, one of it. */
export type MatchInput = {
  host?: string | readonly string[];
  path?: PathInput | readonly PathInput[];
  /** In capitals. */
  method?: string | readonly string[];
  /** By name of the parameter, both decoded. One that comes more than four times fits whatever it holds. */
  query?: { [parameter: string]: TextInput };
  /**
   * By name of the request's header; one of several of the name is enough. A data path drops headers whose names have other than
   * letters, digits and hyphens.
   */
  header?: { [name: string]: TextInput };
  /** Addresses or networks of clients: `'10.0.0.0/8'`, `'2001:db8::/32'`. On a laptop every client is the bridge's gateway. */
  source?: string | readonly string[];
};

/** Requests that are not let on. */
export type DenyInput = MatchInput & { action: 'deny' };

/** Requests that are let on whatever comes behind. */
export type AllowInput = MatchInput & { action: 'allow' };

/**
 * How many requests of one client address are let on: `requests` in each `periodMs` on average, at most `burst` (as many as `requests`
 * when left out) at once. The others get 429 with Retry-After. A new data path counts from zero.
 */
export type RateLimitInput = { requests: number; periodMs: number; burst?: number; for?: MatchInput };

/**
 * After how long the data path gives up, in milliseconds. `headersMs`: until a request's headers are whole; 10,000 when left out.
 * `requestMs`: until its body, or the first 16 KiB of it, has come; 408 after it; not waited for when left out. `responseMs`: of an instance; 60,000; it ends in 504. `idleMs`: between the requests
 * of a connection; 30,000. `tunnelMs`: of a WebSocket; 3,600,000. In front of it the core, which all apps share, has its own for headers
 * (10,000) and idle connections (30,000), and does not wait longer than 600,000 for an answer.
 */
export type TimeoutsInput = { headersMs?: number; requestMs?: number; responseMs?: number; idleMs?: number; tunnelMs?: number };

/** A method that may be repeated without another effect. */
export type IdempotentMethod = 'GET' | 'HEAD' | 'OPTIONS' | 'PUT' | 'DELETE' | 'TRACE';

/**
 * Another instance is tried `attempts` times (3 when left out, 4 without `retries`, at most 10). One that refuses the connection did nothing, so any method is
 * tried again; after `on` (an answer that never came, when left out) only these methods, of those that are idempotent.
 */
export type RetriesInput = {
  attempts?: number;
  on?: readonly ('empty-response' | 'response-timeout' | 500 | 502 | 503 | 504)[];
  methods?: readonly IdempotentMethod[];
};

/** Answers of `types` (text, JSON, JavaScript, XML and SVG when left out) are compressed with gzip where the client takes it. */
export type CompressionInput = { types?: readonly string[] };

/** Every request gets 503 with Retry-After and the body, except those from `except`. To an alarm on `error-ratio` each is an error. */
export type MaintenanceInput = {
  /** At most 8 KiB. */
  body: string;
  /** `text/html; charset=utf-8` when left out. */
  contentType?: string;
  /** 300 when left out. */
  retryAfterSeconds?: number;
  except?: readonly string[];
};

/** What an app's data path does with requests and answers. */
export const policy = (input: PolicyInput): PolicyInput => input;

/** Requests that are not let on: in `access`, and as a virtual patch in `patches`. */
export const deny = (input: MatchInput): DenyInput => ({ ...input, action: 'deny' });

/** Requests that are let on whatever `access` says behind it. */
export const allow = (input: MatchInput): AllowInput => ({ ...input, action: 'allow' });
