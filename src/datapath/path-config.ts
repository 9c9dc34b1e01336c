import { idempotentMethods } from '../policy.ts';
import { isAddressRange } from '../source-rules.ts';

/**
 * The HAProxy configurations of a data path: what its waiter runs, what it runs as the proxy, and where instances may come and go,
 * what it runs in the place of one that leaves.
 */
export interface PathConfig {
  readonly waiting: string;
  readonly proxy: string;
  readonly leaving?: string;
  /** What the way out of an app that lives elsewhere runs, in an image of its own. */
  readonly wayOut?: string;
  /** What the others name besides. */
  readonly files?: readonly { readonly path: string; readonly contents: string }[];
}

/** How a server shows that it is healthy: by one answer over HTTP, by accepting a connection, or in a store's own protocol. */
export type Health = { readonly kind: 'http'; readonly path: string; readonly status: number } | StoreHealth;

/**
 * `redis`, `postgres`: it answers, and not that it still starts. `exchange`: it was sent the one text, if there is one, and
 * its answer holds the other.
 */
export type StoreHealth =
  | { readonly kind: 'tcp' | 'redis' | 'postgres' }
  | { readonly kind: 'exchange'; readonly send?: string; readonly expect: string };

/** One section of a configuration: its header, and its lines without indentation. */
export interface Section {
  readonly header: string;
  readonly lines: readonly string[];
}

/** Where the proxy image keeps its Lua files. */
export const LIBRARY = '/usr/lib/changeless';

/** The text of a configuration, with `proxy.cfg`'s and `waiting.cfg`'s common resolvers at its end. */
export function renderConfig(sections: readonly Section[]): string {
  const all = [...sections, RESOLVERS];
  return all.map(({ header, lines }) => [header, ...lines.map((line) => `    ${line}`), ''].join('\n')).join('\n');
}

/**
 * The `global` section of a proxy. Its stats socket is named by generation and by start, so that undoing a
 * substitute leaves its predecessor's in place; it hands out listeners and changes nothing (`level user`).
 */
export function proxyGlobal(options: {
  readonly generation: string;
  readonly maxFiles: number;
  readonly drainLimitMs: number | undefined;
  /** Whether something listens until nothing is under way any more: the front alone is closed at first. */
  readonly keepsListening?: boolean;
  /** Backends whose servers come and go, and are known by their addresses. */
  readonly elastic?: readonly string[];
  /** What it loads besides. */
  readonly libraries?: readonly string[];
  /** Lines by which it knows names, before it loads anything. */
  readonly names?: readonly string[];
}): Section {
  const { generation, maxFiles, elastic = [], libraries = [], names = [] } = options;
  assertGeneration(generation);
  const socket = `${RUN_FOLDER}/${generation.slice(0, 12)}.\${CHANGELESS_INCARNATION}.sock`;
  return {
    header: 'global',
    lines: [
      // How many connections there can be follows from it, and from the engine's own limit where that is lower:
      // a fixed maxconn would not start there, and no limit at all would reserve memory for a million files.
      `fd-hard-limit ${maxFiles}`,
      ...LEAN,
      `stats socket "${socket}" mode 600 level user expose-fd listeners`,
      ...drainLines(options),
      ...(options.keepsListening ? [`setenv CHANGELESS_SOCKET "${socket}"`] : []),
      ...(elastic.length > 0 ? [`setenv CHANGELESS_ELASTIC ${elastic.join()}`] : []),
      ...names,
      ...['server.lua', ...libraries].map((name) => `lua-load ${LIBRARY}/${name}`),
    ],
  };
}

/** Nothing asks HAProxy's own HTTP client for anything; the authorities it would trust took most of a start, and a MB. */
export const LEAN: readonly string[] = ['nbthread 1', 'httpclient.ssl.verify none'];

/** `grace`: for so long it is only said to stop, and what is to be closed is closed by who hears it. */
function drainLines({ drainLimitMs, keepsListening = false }: { drainLimitMs: number | undefined; keepsListening?: boolean }): string[] {
  if (drainLimitMs === undefined) return [];
  const limit = `${assertDuration(drainLimitMs)}ms`;
  return keepsListening ? [`grace ${limit}`, 'hard-stop-after 1ms'] : [`hard-stop-after ${limit}`];
}

/** The `server` options that find a peer by name at any time: both are needed, or a late name means 503 for ever. */
export const FOLLOW_NAME = 'resolvers platform init-addr libc,none resolve-prefer ipv4';

/**
 * A peer whose network is gone says nothing any more, and who waits for its answer would wait for ever: the kernel asks after
 * a second of silence whether it is still there.
 */
export const PROBE_SILENT_PEERS: readonly string[] = ['option srvtcpka', 'srvtcpka-idle 1s', 'srvtcpka-intvl 1s', 'srvtcpka-cnt 3'];

/** What may have had an effect is not done twice; a refused connection is tried again for any method. */
export const retryOnly = (methods: readonly string[]): string => `http-request disable-l7-retry unless { method ${methods.join(' ')} }`;

export const RETRY_IDEMPOTENT = retryOnly(idempotentMethods);

/** By it the core tells a data path which generation is asked for; it passes on none that a client sends. */
export const PREVIEW_HEADER = 'x-changeless-preview';

const RUN_FOLDER = '/run/changeless';

/** A name that stops resolving keeps its last address: a sandbox that is made again usually gets it back. */
const RESOLVERS: Section = {
  header: 'resolvers platform',
  lines: [
    'parse-resolv-conf',
    // One name may stand for a hundred addresses.
    'accepted_payload_size 8192',
    'resolve_retries 3',
    'timeout resolve 200ms',
    'timeout retry 200ms',
    'hold valid 500ms',
    'hold nx 30s',
    'hold other 30s',
    'hold refused 30s',
    'hold timeout 30s',
  ],
};

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const DNS_LABEL = new RegExp(`^${LABEL}$`);
const DNS_NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
const GENERATION = /^[a-z0-9][a-z0-9-]{0,127}$/;
const HEALTH_PATH = /^\/[A-Za-z0-9\-._~!&()*+,;=:@%/?]*$/;

/** Validation lets only DNS names through; a name that could add to a configuration is a bug there. Throws. */
export function assertDnsName(name: string): string {
  return assertMatches(name, DNS_NAME, 'a DNS name in lower case');
}

/** The same for one label of a name. Throws. */
export function assertDnsLabel(label: string): string {
  return assertMatches(label, DNS_LABEL, 'a DNS label in lower case');
}

/** The same for an IP address or a range of them. Throws. */
export function assertAddressRange(range: string): string {
  if (!isAddressRange(range)) throw new Error(`datapath: ${JSON.stringify(range)} is not an IP address or a range of them`);
  return range;
}

/** The same for the path a health check asks for; quotes, `$`, `#` and blanks mean something to HAProxy. Throws. */
export function assertHealthPath(path: string): string {
  return assertMatches(path, HEALTH_PATH, 'the path of a URL');
}

/** Throws unless `value` is a whole number in the range. */
export function assertWhole(value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new Error(`datapath: ${value} is not a whole number from ${least} to ${most}`);
  }
  return value;
}

/** Throws unless `port` is a TCP port. */
export function assertPort(port: number): number {
  return assertWhole(port, 1, 65_535);
}

function assertGeneration(generation: string): string {
  return assertMatches(generation, GENERATION, 'the id of a generation');
}

/** HAProxy's timers are 31 bits of milliseconds. */
function assertDuration(durationMs: number): number {
  return assertWhole(durationMs, 1, 2_147_483_647);
}

function assertMatches(text: string, pattern: RegExp, expected: string): string {
  if (!pattern.test(text)) throw new Error(`datapath: ${JSON.stringify(text)} is not ${expected}`);
  return text;
}
