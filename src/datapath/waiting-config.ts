import type { Range } from './elastic-config.ts';
import {
  assertDnsLabel,
  assertDnsName,
  assertHealthPath,
  assertPort,
  assertWhole,
  FOLLOW_NAME,
  type Health,
  LEAN,
  LIBRARY,
  renderConfig,
  type Section,
  type StoreHealth,
} from './path-config.ts';

/** Servers that are checked in the same way. */
export interface CheckedService {
  readonly name: string;
  readonly port: number;
  readonly health: Health;
  readonly servers: readonly Server[];
  /** Whom a check asks for, where that is not the service. */
  readonly host?: string;
  /** How its servers are spoken to, and how often they are asked. */
  readonly options?: string;
  /** Of a service whose instances come and go: the one name for all of them, and how many there are. */
  readonly elastic?: Range & { readonly address: string };
}

export interface Server {
  readonly name: string;
  readonly address: string;
}

/**
 * `waiting.cfg`: checks every server of every service often, and serves nothing. What each check asks stands in
 * the environment, because a name in HAProxy cannot hold it and its statistics do not. `more`: what it has to be able to start with.
 */
export function renderWaiting(services: readonly CheckedService[], more: readonly Section[] = []): string {
  const questions = services.flatMap((service, index) => [
    `setenv CHANGELESS_CHECK_${index + 1} '${backendName(service)}=${question(service)}'`,
    ...(service.elastic ? [`setenv CHANGELESS_LEAST_${index + 1} ${service.elastic.min}`] : []),
  ]);
  return renderConfig([
    {
      header: 'global',
      // waiter.lua reads the questions while it is loaded.
      lines: ['fd-hard-limit 5000', ...LEAN, ...questions, `lua-load ${LIBRARY}/waiter.lua`],
    },
    {
      header: 'defaults',
      lines: [
        'mode http',
        'timeout connect 1s',
        'timeout check 2s',
        'timeout client 1s',
        'timeout server 1s',
        'default-server check inter 40ms rise 1 fall 1',
      ],
    },
    NOBODY,
    ...services.map(renderBackend),
    ...more,
  ]);
}

/** The lines of a backend that checks its servers in the way the service is healthy. */
export function checkLines(health: Health, host: string): readonly string[] {
  if (health.kind !== 'http') return storeCheckLines(health);
  const status = assertWhole(health.status, 100, 599);
  return [
    'option httpchk',
    `http-check send meth GET uri '${assertHealthPath(health.path)}' ver HTTP/1.1 hdr host ${assertDnsName(host)}`,
    `http-check expect status ${status}`,
  ];
}

function storeCheckLines(health: StoreHealth): readonly string[] {
  switch (health.kind) {
    case 'tcp':
      return ['option tcp-check'];
    case 'redis':
      return exchangeLines('PING\r\n', PONG, PONG.length);
    case 'postgres':
      return [...exchangeLines(POSTGRES_STARTUP), `tcp-check expect rbinary ${POSTGRES_ANSWER}`];
    case 'exchange':
      return exchangeLines(health.send, health.expect);
  }
}

/**
 * No error of Redis is shorter. Without a least length HAProxy waits on a connection that stays open for what it expects until
 * the check times out, which is two seconds for each server that says that it still loads.
 */
const PONG = '+PONG\r\n';

/** In hexadecimal, for quotes and blanks mean something to HAProxy. It ends in an orderly way, or the server would log each. */
function exchangeLines(send: string | undefined, expect?: string, leastBytes?: number): readonly string[] {
  return [
    'option tcp-check',
    'tcp-check connect linger',
    ...(send === undefined ? [] : [`tcp-check send-binary ${hex(send)}`]),
    ...(expect === undefined ? [] : [`tcp-check expect ${leastBytes === undefined ? '' : `min-recv ${leastBytes} `}binary ${hex(expect)}`]),
  ];
}

const hex = (text: string): string => Buffer.from(text, 'utf8').toString('hex');

/** StartupMessage (PostgreSQL manual, 55.7): its length, protocol 3.0, the one parameter that is needed, and a zero that ends them. */
const POSTGRES_STARTUP = '\0\0\0\x17\0\x03\0\0user\0postgres\0\0';

/**
 * In hexadecimal: a session that is ready for queries, the wish for a password, or any error but 57P03 (starting up, recovering,
 * shutting down). Whether that user may come in is its clients' affair.
 */
const POSTGRES_ANSWER = '^(52.{16}.*5A0000000549|52.{8}(?!00000000)|(52.{16})?45.*0043(?!3537503033)3)';

/** HAProxy does not start without a listener. This one is nobody's: a name in the kernel, one for each start. */
const NOBODY: Section = {
  header: 'frontend nobody',
  lines: ['bind "abns@changeless-waiter-${CHANGELESS_INCARNATION}"', 'http-request deny'],
};

function renderBackend(service: CheckedService): Section {
  return {
    header: `backend ${backendName(service)}`,
    lines: [
      ...checkLines(service.health, service.host ?? service.name),
      ...serverLines(service),
      ...elasticLines(service, FOLLOW_FROM_NOW),
    ],
  };
}

/** A server for each instance that there always is. */
export const serverLines = ({ servers, port, options }: CheckedService): readonly string[] =>
  servers.map(({ name, address }) =>
    [`server ${assertDnsLabel(name)} ${assertDnsName(address)}:${assertPort(port)} ${FOLLOW_NAME}`, ...(options ? [options] : [])].join(
      ' ',
    ),
  );

/** As many servers as there may be instances, each of which takes one of the addresses the name has at the time. */
export function elasticLines({ name, port, elastic }: CheckedService, options: string): readonly string[] {
  if (elastic === undefined) return [];
  return [`server-template ${assertDnsLabel(name)} 1-${elastic.max} ${assertDnsName(elastic.address)}:${assertPort(port)} ${options}`];
}

/** What the name was before the first answer must not pass for all of them. */
const FOLLOW_FROM_NOW = FOLLOW_NAME.replace('libc,none', 'none');

function backendName(service: CheckedService): string {
  return `service-${assertDnsLabel(service.name)}`;
}

function question({ health, port }: CheckedService): string {
  if (health.kind === 'http') return `GET ${assertHealthPath(health.path)} expecting ${health.status}`;
  return `${storeQuestions[health.kind]} port ${assertPort(port)}`;
}

const storeQuestions = {
  tcp: 'connect to',
  redis: 'PING on',
  postgres: 'begin a session on',
  exchange: 'ask what health says on',
} as const;
