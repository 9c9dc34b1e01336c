import {
  assertDnsLabel,
  assertDnsName,
  assertHealthPath,
  assertPort,
  assertWhole,
  FOLLOW_NAME,
  type Health,
  LIBRARY,
  renderConfig,
  type Section,
} from './path-config.ts';

/** Servers that are checked in the same way. */
export interface CheckedService {
  readonly name: string;
  readonly port: number;
  readonly health: Health;
  readonly servers: readonly { readonly name: string; readonly address: string }[];
}

/**
 * `waiting.cfg`: checks every server of every service often, and serves nothing. What each check asks stands in
 * the environment, because a name in HAProxy cannot hold it and its statistics do not.
 */
export function renderWaiting(services: readonly CheckedService[]): string {
  const questions = services.map((service, index) => `setenv CHANGELESS_CHECK_${index + 1} '${backendName(service)}=${question(service)}'`);
  return renderConfig([
    {
      header: 'global',
      // waiter.lua reads the questions while it is loaded.
      lines: ['fd-hard-limit 5000', 'nbthread 1', ...questions, `lua-load ${LIBRARY}/waiter.lua`],
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
  ]);
}

/** The lines of a backend that checks its servers in the way the service is healthy. */
export function checkLines(health: Health, host: string): readonly string[] {
  if (health.kind === 'tcp') return ['option tcp-check'];
  const status = assertWhole(health.status, 100, 599);
  return [
    'option httpchk',
    `http-check send meth GET uri '${assertHealthPath(health.path)}' ver HTTP/1.1 hdr host ${assertDnsLabel(host)}`,
    `http-check expect status ${status}`,
  ];
}

/** HAProxy does not start without a listener. This one is nobody's: a name in the kernel, one for each start. */
const NOBODY: Section = {
  header: 'frontend nobody',
  lines: ['bind "abns@changeless-waiter-${CHANGELESS_INCARNATION}"', 'http-request deny'],
};

function renderBackend(service: CheckedService): Section {
  const port = assertPort(service.port);
  return {
    header: `backend ${backendName(service)}`,
    lines: [
      ...checkLines(service.health, service.name),
      ...service.servers.map(({ name, address }) => `server ${assertDnsLabel(name)} ${assertDnsName(address)}:${port} ${FOLLOW_NAME}`),
    ],
  };
}

function backendName(service: CheckedService): string {
  return `service-${assertDnsLabel(service.name)}`;
}

function question({ health, port }: CheckedService): string {
  if (health.kind === 'tcp') return `connect to port ${assertPort(port)}`;
  return `GET ${assertHealthPath(health.path)} expecting ${health.status}`;
}
