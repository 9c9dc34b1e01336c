// The few calls of the Docker Engine's HTTP API that set-up needs, over its socket: no packages, no docker CLI.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { SetupProblem } from './progress.mjs';

const DEFAULT_SOCKET = '/var/run/docker.sock';

/** Where the engine listens: DOCKER_HOST, or else its default socket. */
export function engineAddress(environment = process.env) {
  const text = environment.DOCKER_HOST || `unix://${DEFAULT_SOCKET}`;
  const [, scheme, rest] = /^(unix|tcp|http|https):\/\/(.+)$/.exec(text) ?? [];
  if (!scheme) {
    throw new SetupProblem(`DOCKER_HOST is ${text}; expected unix://<socket> or tcp://<host>:<port>.`);
  }
  if (scheme === 'unix') return { text, options: { socketPath: rest }, transport: http };
  const secured = scheme === 'https' || Boolean(environment.DOCKER_TLS_VERIFY);
  const { hostname, port } = new URL(`http://${rest}`);
  const options = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (secured ? 2376 : 2375)) };
  if (!secured) return { text, options, transport: http };
  return { text, options: { ...options, ...certificates(environment) }, transport: https };
}

/** A client for one engine. `request` gives the response with its body unread; the others read it whole. */
export function engineClient(address = engineAddress()) {
  const request = (method, target, call = {}) => send(address, { method, target, ...call });
  return {
    address,
    request,
    /** The parsed body; undefined for 404; a SetupProblem for every other failure. */
    async json(method, target, call) {
      const response = await request(method, target, call);
      const text = await readAll(response);
      if (response.statusCode === 404) return undefined;
      if (response.statusCode >= 400) {
        throw new SetupProblem(`the engine answered ${response.statusCode} to ${method} ${target}: ${messageOf(text)}`);
      }
      return text === '' ? undefined : JSON.parse(text);
    },
    /** The lines of a progress stream, parsed as they arrive; ends when the engine ends it. */
    async *lines(method, target, call) {
      const response = await request(method, target, call);
      if (response.statusCode >= 400) yield { error: messageOf(await readAll(response)) };
      else yield* parsedLines(response);
    },
  };
}

function certificates(environment) {
  const folder = environment.DOCKER_CERT_PATH ?? path.join(environment.HOME ?? '', '.docker');
  const read = (name) => readFileSync(path.join(folder, name));
  return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
}

function send(address, { method, target, body, type = 'application/x-tar', signal }) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': type };
    const request = address.transport.request({ ...address.options, method, path: target, headers, signal }, resolve);
    request.on('error', reject);
    if (typeof body?.pipe === 'function') body.on('error', (cause) => request.destroy(cause)).pipe(request);
    else request.end(body);
  });
}

async function readAll(response) {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}

// The engine's errors are JSON; what stands between it and us may answer in its own form.
function messageOf(text) {
  try {
    return JSON.parse(text).message ?? text.trim();
  } catch {
    return text.trim();
  }
}

async function* parsedLines(response) {
  response.setEncoding('utf8');
  let rest = '';
  for await (const chunk of response) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line);
  }
  if (rest.trim() !== '') yield JSON.parse(rest);
}
