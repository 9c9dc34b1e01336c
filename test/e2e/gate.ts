import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { World } from './world.ts';

/**
 * An authentication proxy of forty lines: who shows no token is answered by it, all others are let pass, with their name and with
 * nothing of what clients say of it. It is told where to send on by its environment.
 */
const server = `
import http from 'node:http';

const version = '1';
const next = new URL(process.env.CHANGELESS_NEXT);
const agent = new http.Agent({ keepAlive: true });
const names = { 'token-of-alice': 'alice' };

const sentOn = (request) => ({ ...request.headers, 'x-user': names[request.headers.authorization], 'x-gate': version });
const pass = (request) => http.request({ agent, host: next.hostname, port: next.port, method: request.method, path: request.url, headers: sentOn(request) });

const server = http.createServer((request, response) => {
  if (request.url === '/gate/healthz') return response.end('ready');
  if (!names[request.headers.authorization]) return response.writeHead(401, { 'www-authenticate': 'token' }).end('who are you?');
  const on = pass(request);
  on.on('response', (answer) => answer.pipe(response.writeHead(answer.statusCode, answer.headers)));
  on.on('error', (error) => response.writeHead(502).end(String(error)));
  request.pipe(on);
});
server.on('upgrade', (request, socket) => {
  if (!names[request.headers.authorization]) return socket.end('HTTP/1.1 401 Unauthorized\\r\\nconnection: close\\r\\n\\r\\n');
  const on = pass(request);
  on.on('upgrade', (answer, behind) => {
    socket.write('HTTP/1.1 101 Switching Protocols\\r\\nconnection: upgrade\\r\\nupgrade: ' + answer.headers.upgrade + '\\r\\n\\r\\n');
    behind.pipe(socket).pipe(behind);
    for (const each of [behind, socket]) each.on('error', () => each.destroy());
  });
  on.end();
});
server.keepAliveTimeout = 75_000;
server.listen(8080);
process.once('SIGTERM', () => server.close());
`;

/** Adds the folder of a stage that lets nobody pass without a token. */
export function writeGate({ folder }: World): void {
  mkdirSync(path.join(folder, 'gate'));
  writeFileSync(path.join(folder, 'gate/server.mjs'), server);
  writeFileSync(
    path.join(folder, 'gate/Dockerfile'),
    'FROM node:24-bookworm-slim\nCOPY server.mjs /server.mjs\nUSER 1000:1000\nCMD ["node", "/server.mjs"]\n',
  );
}
