import { quote } from './quote.ts';

/**
 * The defaults of a data path that takes every request in one way only. A header's name is of letters, digits and hyphens: services
 * that take `_` or `.` for `-` would find in another one what the data path has set or taken away.
 */
export const STRICT_DEFAULTS: readonly string[] = ['option http-restrict-req-hdr-names delete', 'option disable-h2-upgrade'];

/** What two readers can take for two things, though the proxy takes it for one (RFC 9110 section 5.5, RFC 9112 sections 3 and 6). */
const TWO_WAYS: readonly string[] = [
  // Some services end a value at such a character, others the line.
  `req.hdrs -m reg -- ${quote(String.raw`[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]`)}`,
  // Octal to some.
  `req.hdr(content-length) -m reg -- ${quote('^0[0-9]')}`,
  // The core looks at the last of several, and at what stands before a colon.
  `req.fhdr(host) -m reg -- ${quote('[^A-Za-z0-9.:-]|:(?![0-9]{1,5}$)')}`,
  // Rules speak of paths: not of the whole of a service, nor of where a tunnel is to lead, whose requests nobody would see.
  `url -m reg -i -- ${quote('^(?!/|https?://)|[^!-~]')}`,
  // A rule names methods in capitals, as they all are, and some services do not care.
  `method -m reg -- ${quote('[^A-Z-]')}`,
];

const error = JSON.stringify({ error: 'the request can be understood in more than one way' });

/**
 * First of all that a data path does with a request, whatever its policy: what can be understood in two ways is refused, or passed on
 * as what it was taken for. So a service behind it cannot take it for anything else than the core, the data path and its rules did.
 */
export const STRICT_LINES: readonly string[] = [
  ...TWO_WAYS.map((test) => `acl two-ways ${test}`),
  `http-request return status 400 content-type application/json string ${quote(error)} if two-ways or { req.ver 1.0 } { req.hdr(transfer-encoding) -m found }`,
  // No rule sees what follows on an upgrade to HTTP/2; who asks for that goes on with HTTP/1.1.
  'http-request del-header upgrade if { req.hdr(upgrade) -m sub -i h2c }',
  'http-request del-header http2-settings',
  // A whole address says once more which host is meant, and how it was asked.
  `http-request set-uri / if { url -m reg -- ${quote('^[^/]+//[^/]*$')} }`,
  `http-request set-uri %[pathq] if { url -m reg -- ${quote('^[^/]')} }`,
  'http-request set-header transfer-encoding chunked if { req.hdr(transfer-encoding) -m found }',
  // A client could name headers there that the next proxy takes away, those that the data path sets among them.
  'http-request set-header connection upgrade if { req.hdr(upgrade) -m found } { req.hdr(connection) -m str -i upgrade }',
  'http-request del-header connection unless { req.hdr(upgrade) -m found }',
  // Some frameworks take the path from there, which no rule has seen.
  ...['x-original-url', 'x-rewrite-url'].map((name) => `http-request del-header ${name}`),
];
