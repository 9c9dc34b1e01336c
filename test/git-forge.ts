import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

/** A repository that git fetches from over HTTP on the loopback, as from a forge. */
export type GitForge = {
  address: string;
  /** Pushes a branch of a clone to it. */
  push(clone: string, branch?: string): void;
  /** Whoever asks from now on waits in vain. */
  hang(): void;
  close(): Promise<void>;
};

/** `root`: a temporary folder. `authorization`: what whoever asks has to bring along. */
export async function startGitForge(root: string, { authorization }: { authorization?: string } = {}): Promise<GitForge> {
  const bare = path.join(root, 'forge/acme/shop.git');
  mkdirSync(bare, { recursive: true });
  git('init', '--quiet', '--bare', bare);
  let hangs = false;
  const server = http.createServer((request, response) => {
    if (hangs) return;
    if (authorization !== undefined && request.headers.authorization !== authorization) return void response.writeHead(401).end();
    answerWithGit(path.join(root, 'forge'), request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}/acme/shop.git`,
    push: (clone, branch = 'main') => git('-C', clone, 'push', '--quiet', '--force', bare, `HEAD:refs/heads/${branch}`),
    hang() {
      hangs = true;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const environment = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };

const git = (...words: string[]): void =>
  void execFileSync('git', ['-c', 'gc.auto=0', '-c', 'safe.directory=*', ...words], { env: environment });

/** Git's own server, which speaks CGI (RFC 3875). */
function answerWithGit(folder: string, request: http.IncomingMessage, response: http.ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://forge');
  const child = spawn('git', ['http-backend'], {
    env: {
      ...environment,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(child.stdin).on('error', () => {});
  const said: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
  child.on('close', () => {
    const all = Buffer.concat(said);
    const end = all.indexOf('\r\n\r\n');
    const headers = all.toString('latin1', 0, end).split('\r\n');
    const status = Number(/^Status: (\d+)/m.exec(headers.join('\n'))?.[1] ?? 200);
    const told = headers.filter((line) => !line.startsWith('Status:')).map((line) => line.split(': ') as [string, string]);
    response.writeHead(status, Object.fromEntries(told)).end(all.subarray(end + 4));
  });
}
