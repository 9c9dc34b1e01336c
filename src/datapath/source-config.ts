import type { Rate, SourceLimits, SourceRules } from '../source-rules.ts';
import { assertAddressRange, assertWhole } from './path-config.ts';

/** Connections at a time. Generous: behind one address there may be many people, and on a laptop every client is the bridge's gateway. */
const MOST_CONNECTIONS = 5_000;

/** Lines of a frontend that close the connections of who may not connect: before a byte of theirs is read. */
export function sourceLines({ allow = [], deny = [] }: SourceRules): string[] {
  return [
    ...allow.map((range) => `acl allowed src ${assertAddressRange(range)}`),
    ...(allow.length > 0 ? ['tcp-request connection reject unless allowed'] : []),
    ...deny.map((range) => `tcp-request connection reject if { src ${assertAddressRange(range)} }`),
  ];
}

/**
 * Lines of a frontend that bound what one source has. A rate is counted over a sliding span; what a client may not have is not
 * passed on. Counting begins anew with each core: at most once more of everything. `shared`: the frontend that counts, where it is
 * another one, for connections whose requests cannot be seen.
 */
export function limitLines({ connections = MOST_CONNECTIONS, newConnections, requests }: SourceLimits = {}, shared?: string): string[] {
  const spans = [
    ...(newConnections ? [`conn_rate(${spanOf(newConnections)})`] : []),
    ...(requests ? [`http_req_rate(${spanOf(requests)})`] : []),
  ];
  const expireMs = Math.max(60_000, newConnections?.perMs ?? 0, requests?.perMs ?? 0);
  return [
    ...(shared === undefined ? [`stick-table type ipv6 size 100k expire ${expireMs}ms store ${['conn_cur', ...spans].join()}`] : []),
    `tcp-request connection track-sc0 src${shared === undefined ? '' : ` table ${shared}`}`,
    `tcp-request connection reject if { sc0_conn_cur gt ${countOf(connections)} }`,
    ...(newConnections ? [`tcp-request connection reject if { sc0_conn_rate gt ${countOf(newConnections.count)} }`] : []),
  ];
}

/** Lines of the frontend that counts which answer the requests of a source that has too many. */
export const requestLimitLines = ({ requests }: SourceLimits = {}): string[] =>
  requests === undefined
    ? []
    : [
        `http-request return status 429 content-type application/json hdr retry-after ${Math.ceil(requests.perMs / 1000)} string '{"error":"too many requests from this address"}' if { sc0_http_req_rate gt ${countOf(requests.count)} }`,
      ];

const spanOf = ({ perMs }: Rate): string => `${assertWhole(perMs, 1_000, 3_600_000)}ms`;

const countOf = (count: number): number => assertWhole(count, 1, 1_000_000);
