import { assertPort, PREVIEW_HEADER, type Section } from './path-config.ts';

/** An app's TLS: its certificate, whose key is in it or in `<certificate>.key`, and where plain requests are sent, if anywhere. */
export interface PathTls {
  readonly certificate: string;
  readonly redirectPort?: number | undefined;
}

/** Suites with a key of their own for each connection, as HTTP/2 wants them; those of TLS 1.3 are all such. */
const SUITES = 'ECDHE+AESGCM:ECDHE+CHACHA20';

/** Where an app's data path takes encrypted connections, which the core has passed on as they came. */
export const tlsBind = (tls: PathTls): string => `bind :8443 accept-proxy ${sslOptions(tls)}`;

/** A waiter that cannot use the certificate does not start, so that no proxy takes over that could not. Nobody reaches it there. */
export const certificateTrial = (tls: PathTls): Section => ({
  header: 'frontend certificate',
  lines: [`bind "abns@changeless-certificate.\${CHANGELESS_INCARNATION}" ${sslOptions(tls)}`],
});

const sslOptions = ({ certificate }: PathTls): string =>
  `ssl crt ${assertFile(certificate)} alpn h2,http/1.1 ssl-min-ver TLSv1.2 ciphers ${SUITES}`;

const assertFile = (file: string): string => {
  if (!/^\/[\w./-]+$/.test(file)) throw new Error(`datapath: ${JSON.stringify(file)} is not the path of a file`);
  return file;
};

/**
 * First of all that is done with a request. A client may ask over one connection for every host that the certificate is for (HTTP/2
 * clients do), and another app's may be among them: 421 has it ask again over a connection for that host. A generation that is held
 * is looked at over plain HTTP alone.
 */
export const tlsLines = ({ redirectPort }: PathTls): string[] => [
  // The core, which takes it from what clients say, has not seen this.
  `http-request del-header ${PREVIEW_HEADER} if { ssl_fc }`,
  'http-request set-var(txn.sni) ssl_fc_sni,lower if { ssl_fc }',
  `http-request return status 421 content-type application/json string '{"error":"this connection is for another host name"}' if { ssl_fc } !{ req.hdr(host),field(1,:),lower,strcmp(txn.sni) eq 0 }`,
  ...(redirectPort === undefined ? [] : [redirect(assertPort(redirectPort))]),
];

const redirect = (port: number): string =>
  `http-request redirect prefix https://%[req.hdr(host),field(1,:)]${port === 443 ? '' : `:${port}`} code 308 if !{ ssl_fc } !{ req.hdr(${PREVIEW_HEADER}) -m found }`;

/** How old a connection may be that the core cannot look into: as long as it is there, so is the core that passes it on. */
const OLDEST_S = 60;

/**
 * Connections that the core passes on unseen end only by the data path. So they end with the first answer after a minute, but for one
 * that upgrades, and those that are idle within half the drain limit, before that cuts them.
 */
export const AGE_LINES: readonly string[] = [
  'tcp-request connection set-var(sess.since) date',
  `http-after-response set-header connection close if { ssl_fc } { date,sub(sess.since) ge ${OLDEST_S} } !{ status 101 }`,
];

/** The defaults of a data path with TLS. */
export const withIdleEnd = (lines: readonly string[], drainLimitMs: number): string[] =>
  lines.map((line) =>
    line.replace(/^timeout http-keep-alive (\d+)(m?s)$/, (_, time: string, unit: string) => idleEnd({ time, unit, drainLimitMs })),
  );

const idleEnd = ({ time, unit, drainLimitMs }: { time: string; unit: string; drainLimitMs: number }): string =>
  `timeout http-keep-alive ${Math.max(1, Math.min(Number(time) * (unit === 's' ? 1000 : 1), Math.floor(drainLimitMs / 2)))}ms`;
