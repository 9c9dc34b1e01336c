import { once } from 'node:events';
import { request as plainRequest, type IncomingMessage } from 'node:http';
import { request as encryptedRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Secret } from '../../secret.ts';
import { isLocalhost } from './server-address.ts';

export type ServerRequest = {
  method: string;
  path: string;
  token: Secret;
  body?: object;
  headers?: Readonly<Record<string, string>>;
  signal: AbortSignal;
};

/** So long may pass without a byte: a stream says something each quarter of a minute. */
const silenceMs = 40_000;

/** Resolves when the answer begins; throws as node:http does. Follows no redirect: a token goes to the address it was kept for. */
export async function askServer(origin: URL, { method, path, token, body, headers, signal }: ServerRequest): Promise<IncomingMessage> {
  const sent = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const ask = origin.protocol === 'https:' ? encryptedRequest : plainRequest;
  const request = ask(new URL(path, origin), {
    method,
    signal,
    timeout: silenceMs,
    ...(isLocalhost(origin.hostname) && { lookup: onThisMachine }),
    headers: {
      authorization: `Bearer ${token.revealText()}`,
      ...(sent && { 'content-type': 'application/json', 'content-length': sent.length }),
      ...headers,
    },
  });
  request.on('timeout', () => request.destroy(new Error(`nothing came for ${silenceMs / 1000} s`)));
  request.end(sent);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

const onThisMachine: LookupFunction = (_host, { all }, tell) => {
  if (all) tell(null, [{ address: '127.0.0.1', family: 4 }]);
  else tell(null, '127.0.0.1', 4);
};

/** An answer's whole body. */
export async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
