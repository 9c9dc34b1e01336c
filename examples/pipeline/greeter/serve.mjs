// Serves JSON over HTTP until SIGTERM, then finishes the requests it has and ends.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { hostname } from 'node:os';

/** `routes` maps a path to a function of the request that gives `{ status, body }`, or a promise of it. */
export function serve(routes, port = 8080) {
  const server = createServer(async (request, response) => {
    const { status, body } = await answer(routes, request);
    if (!server.listening) response.setHeader('connection', 'close');
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(body)}\n`);
  });
  // Longer than any proxy keeps a connection, so that it is never this side that closes one in use.
  server.keepAliveTimeout = 75_000;
  server.listen(port);
  process.once('SIGTERM', () => server.close());
  return server;
}

/** Who answers: baked into the image, told by the platform, or said by the data path with the request. */
export function identity(request) {
  return {
    app: process.env.CHANGELESS_APP,
    service: process.env.CHANGELESS_SERVICE,
    instance: instanceName(),
    generation: request.headers['x-changeless-generation'],
  };
}

async function answer(routes, request) {
  const route = routes[new URL(request.url, 'http://any').pathname];
  if (!route) return { status: 404, body: { error: 'there is nothing here' } };
  try {
    return await route(request);
  } catch (cause) {
    console.error(cause);
    return { status: 500, body: { error: cause.message } };
  }
}

let known;

function instanceName() {
  known ??= readInstanceName('/run/changeless/instance.json');
  return known;
}

function readInstanceName(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).instance;
  } catch {
    return hostname();
  }
}
