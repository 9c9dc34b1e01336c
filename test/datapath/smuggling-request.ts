/**
 * Requests that are made to be taken for two by one reader and for one by another, as they were published. The words are our own, the
 * tricks are of:
 * - smuggler: https://github.com/defparam/smuggler, configs/exhaustive.py and configs/doubles.py
 * - desync: https://github.com/PortSwigger/http-request-smuggler, DesyncBox.java, with the research it came from
 * - garden: https://github.com/narfindustries/http-garden, TROPHIES.md
 * - probe: https://mda2av.github.io/Http11Probe
 * - RFC 9112, and the numbers of CVEs
 */
export type SmugglingCase = { name: string; source: string; raw: (tokens: Tokens) => string };

/** Targets that are seen again: of the request that carries another one, of that, and of an innocent one behind. */
export type Tokens = { host: string; first: string; hidden: string; next: string };

/** The request that is hidden in another one. */
export const hiddenIn = ({ host, hidden }: Tokens): string => `GET ${hidden} HTTP/1.1\r\nhost: ${host}\r\n\r\n`;

/** The innocent one behind both. */
export const nextIn = ({ host, next }: Tokens): string => `GET ${next} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`;

/** One character for each byte. */
export const byte = (code: number): string => String.fromCharCode(code);
export const named = (code: number): string => `0x${code.toString(16).padStart(2, '0')}`;
export const bytes = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

/** A request with these header lines and this body, and the innocent one behind it. */
export const request =
  (lines: readonly string[], body: (tokens: Tokens) => string, method = 'POST'): SmugglingCase['raw'] =>
  (tokens) =>
    `${[`${method} ${tokens.first} HTTP/1.1`, `host: ${tokens.host}`, ...lines, '', ''].join('\r\n')}${body(tokens)}${nextIn(tokens)}`;
