import { assertDnsName, assertPort, LEAN, PROBE_SILENT_PEERS, renderConfig } from './path-config.ts';
import { mark } from './policy-rule.ts';

/** How a data path speaks to an origin that is not of its architecture. `ca`: a file; the system's authorities when left out. */
export interface Origin {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly name: string; readonly ca?: string };
  readonly hostHeader?: string;
}

/** Whom a health check asks the origin for. */
export const askedHost = ({ host, hostHeader }: Origin): string => hostHeader ?? host;

/** Lines of the origin's backend: it is further away than an instance, and TLS is part of what it takes to connect. */
export const originLines = ({ hostHeader }: Origin): string[] => [
  'timeout connect 5s',
  ...(hostHeader === undefined ? [] : [mark('elsewhere hostHeader'), `http-request set-header host ${assertDnsName(hostHeader)}`]),
];

/** Checks are others' requests there: each second is often enough. */
const UNHURRIED = 'inter 1s fastinter 1s downinter 1s';

/** Options of the one server behind an app that lives elsewhere. */
export function originOptions({ tls }: Origin): string {
  if (tls === undefined) return UNHURRIED;
  const name = assertDnsName(tls.name);
  const authorities = tls.ca === undefined ? '@system-ca' : assertFile(tls.ca);
  return `${UNHURRIED} ssl verify required ca-file ${authorities} sni str(${name}) verifyhost ${name} check-sni ${name} alpn http/1.1`;
}

/**
 * What the way out runs: bytes go to this one origin, whatever is in them, and how long connections last is the data path's affair.
 * A name that is not there yet keeps nobody from starting.
 */
export const renderWayOut = ({ host, port }: Pick<Origin, 'host' | 'port'>): string =>
  renderConfig([
    { header: 'global', lines: ['fd-hard-limit 20000', ...LEAN] },
    {
      header: 'defaults',
      lines: [
        'mode tcp',
        ...PROBE_SILENT_PEERS,
        'option redispatch 1',
        'retries 4',
        'timeout connect 1s',
        'timeout client 24h',
        'timeout server 24h',
        'timeout client-fin 10s',
      ],
    },
    {
      header: 'listen elsewhere',
      lines: ['bind :8080', `server origin ${assertDnsName(host)}:${assertPort(port)}${isAddress(host) ? '' : ` ${FOLLOW_WORLD}`}`],
    },
    WORLD,
  ]);

const isAddress = (host: string): boolean => /^[0-9.]+$/.test(host);

const FOLLOW_WORLD = 'resolvers world init-addr none resolve-prefer ipv4';

/** Names of the world are others' to answer, so they are asked less often; one that stops resolving keeps its last address. */
const WORLD = {
  header: 'resolvers world',
  lines: [
    'parse-resolv-conf',
    'accepted_payload_size 8192',
    'resolve_retries 3',
    'timeout resolve 1s',
    'timeout retry 1s',
    'hold valid 10s',
    'hold nx 30s',
    'hold other 30s',
    'hold refused 30s',
    'hold timeout 30s',
  ],
};

const assertFile = (file: string): string => {
  if (!/^\/[\w./-]+$/.test(file)) throw new Error(`datapath: ${JSON.stringify(file)} is not the path of a file`);
  return file;
};
