import type { SourceLimits, SourceRules } from '../source-rules.ts';
import { limitLines, sourceLines } from './source-config.ts';
import { assertDnsLabel, assertDnsName, FOLLOW_NAME, PROBE_SILENT_PEERS, type Section } from './path-config.ts';

/** A host name that an app has a certificate for. */
export interface TlsRoute {
  readonly host: string;
  readonly app: string;
}

/** How long a client may take to say for which host it has come. */
const HELLO_LIMIT_MS = 5_000;

/** As the core has them for plain connections, as far as they mean something to one that it cannot look into. */
const DEFAULTS: Section = {
  header: 'defaults tls',
  lines: [
    'mode tcp',
    ...PROBE_SILENT_PEERS,
    'option redispatch 1',
    'retries 10',
    'timeout connect 500ms',
    'timeout queue 5s',
    'timeout client 10m',
    'timeout server 10m',
    'timeout client-fin 10s',
    'timeout tunnel 24h',
  ],
};

/**
 * The core's sections for encrypted connections, which stand last: it reads of them only the name in their first message, and closes
 * those that say none, or one that no app has a certificate for. What one source has is counted with its plain connections.
 */
export const tlsSections = (routes: readonly TlsRoute[], rules: { sources?: SourceRules; perSource?: SourceLimits }): Section[] =>
  routes.length === 0
    ? []
    : [
        DEFAULTS,
        {
          header: 'frontend tls',
          lines: [
            'bind :8443',
            ...(rules.sources ? sourceLines(rules.sources) : []),
            ...limitLines(rules.perSource, 'core'),
            `tcp-request inspect-delay ${HELLO_LIMIT_MS}ms`,
            'tcp-request content reject unless { req.ssl_hello_type 1 }',
            'use_backend tls:%[req.ssl_sni,lower]',
            'default_backend unknown',
          ],
        },
        { header: 'backend unknown', lines: ['tcp-request content reject'] },
        ...routes.map(({ host, app }) => ({
          header: `backend tls:${assertDnsName(host)}`,
          lines: [`server ${assertDnsLabel(app)} ${app}.path:8443 send-proxy-v2 ${FOLLOW_NAME}`],
        })),
      ];
