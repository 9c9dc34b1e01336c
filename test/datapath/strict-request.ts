/** A request as a service reads it that takes nothing but what RFC 9112 and RFC 9110 allow. `length`: its bytes, body included. */
export type StrictRequest = { method: string; target: string; head: string; length: number };

/** What is read of a connection's bytes, one character each: a request, what no service should be sent, or that more is needed. */
export type StrictReading = StrictRequest | { violation: string } | 'more';

/** What follows on a tunnel nobody would see. */
const METHOD = /^(?!CONNECT$)[A-Z-]+$/;
/** Letters, digits and hyphens mean the same to everybody: some services take `_` for `-`. */
const PLAIN_NAME = /^[0-9A-Za-z-]+$/;
const TARGET = /^\/[!-"$-~]*$/;
/** Upgrades to what no rule sees, headers that say which headers to take away, and which path was meant. */
const FORBIDDEN = /^(?:upgrade:.*h2c|http2-settings:|connection:(?!\s*(?:close|keep-alive|upgrade)$)|x-original-url:|x-rewrite-url:)/i;
const HOST = /^[0-9A-Za-z.-]+(?::\d{1,5})?$/;

/** Reads the first request of what came. Pure. */
export function readStrictly(text: string): StrictReading {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return 'more';
  const head = text.slice(0, end);
  const [line = '', ...fields] = head.split('\r\n');
  const [method = '', target = '', version = '', ...more] = line.split(' ');
  if (!METHOD.test(method) || !TARGET.test(target) || !/^HTTP\/1\.[01]$/.test(version) || more.length > 0)
    return { violation: `the request line ${JSON.stringify(line)}` };
  const wrong = fields.find((field) => !isField(field) || FORBIDDEN.test(field));
  if (wrong !== undefined) return { violation: `the header line ${JSON.stringify(wrong)}` };
  const framed = bodyLength(text, end + 4, fields);
  return typeof framed === 'number' ? { method, target, head, length: end + 4 + framed } : framed;
}

function isField(field: string): boolean {
  const colon = field.indexOf(':');
  // Tabs and bytes above ASCII may be in a value, other control characters may not.
  return colon > 0 && PLAIN_NAME.test(field.slice(0, colon)) && !/[\0-\x08\x0a-\x1f\x7f]/.test(field.slice(colon + 1));
}

function bodyLength(text: string, from: number, fields: readonly string[]): number | { violation: string } | 'more' {
  const all = (name: string): string[] =>
    fields.flatMap((field) => (field.toLowerCase().startsWith(`${name}:`) ? [field.slice(name.length + 1).trim()] : []));
  const [hosts, lengths, codings] = [all('host'), all('content-length'), all('transfer-encoding')];
  if (hosts.length !== 1 || !HOST.test(hosts[0] ?? '')) return { violation: `the hosts ${JSON.stringify(hosts)}` };
  if (lengths.length + codings.length > 1) return { violation: 'a body whose end is said twice' };
  const [length] = lengths;
  const [coding] = codings;
  if (coding !== undefined) {
    const isUnderstood = coding === 'chunked' && text.slice(0, text.indexOf('\r')).endsWith('1.1');
    return isUnderstood ? chunkedLength(text, from) : { violation: `the coding ${JSON.stringify(coding)}` };
  }
  if (length === undefined) return 0;
  if (!/^(?:0|[1-9]\d{0,15})$/.test(length)) return { violation: `the length ${JSON.stringify(length)}` };
  return text.length - from < Number(length) ? 'more' : Number(length);
}

function chunkedLength(text: string, from: number): number | { violation: string } | 'more' {
  let at = from;
  for (;;) {
    const end = text.indexOf('\r\n', at);
    if (end < 0) return 'more';
    const size = text.slice(at, end);
    if (!/^[0-9A-Fa-f]{1,8}$/.test(size)) return { violation: `the chunk size ${JSON.stringify(size)}` };
    const data = end + 2;
    const next = data + Number.parseInt(size, 16);
    if (next === data) return trailerLength(text, data, from);
    if (text.length < next + 2) return 'more';
    if (text.slice(next, next + 2) !== '\r\n') return { violation: `a chunk's end ${JSON.stringify(text.slice(next, next + 2))}` };
    at = next + 2;
  }
}

/** The fields behind a body, which a service is to keep apart from those before it. */
function trailerLength(text: string, at: number, from: number): number | { violation: string } | 'more' {
  if (text.startsWith('\r\n', at)) return at + 2 - from;
  const end = text.indexOf('\r\n\r\n', at);
  if (end < 0) return 'more';
  const wrong = text
    .slice(at, end)
    .split('\r\n')
    .find((field) => !isField(field));
  return wrong === undefined ? end + 4 - from : { violation: `the trailer ${JSON.stringify(wrong)}` };
}
