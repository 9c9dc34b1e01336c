import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as aTurn } from 'node:timers/promises';
import { removeAll } from './docker.ts';
import { run, start, type Answer, type Running } from './running.ts';

export type Address = { host: string; port: number };

/** What an app of the examples says of itself, and whatever else it answers. */
export type Told = { app: string; service: string; instance: string; generation: string; visits: number; [more: string]: unknown };

export type InstanceStatus = { name: string; container: string; state: string; startedAt: string; role: string; image: string };
export type UnitStatus = { generation: string; state: string; urls: string[]; instances: InstanceStatus[] };
export type Status = {
  release: string;
  commit: string;
  environment: string;
  state: string;
  apps: Record<string, UnitStatus>;
  stores: Record<string, UnitStatus>;
  core: UnitStatus;
  controller: UnitStatus;
  drift: { container: string; name: string; what: string }[];
};
export type Verified = { release: string; ok: boolean; drift: { container: string; name: string; kind: string; what: string }[] };

/**
 * A user's folder made by `changeless init`, with an architecture name and a port of its own, on the real engine. The
 * command line runs as a process, from the folder, with a cache of its own.
 */
export type World = {
  architecture: string;
  /** The repository. */
  folder: string;
  /** A temporary folder around it, removed with the world. */
  root: string;
  port: number;
  changeless(...words: string[]): Promise<Answer>;
  /** The same, expected to end with 0; what it printed. */
  done(...words: string[]): Promise<string>;
  /** The same with --json, whatever it ends with. */
  json<T>(...words: string[]): Promise<{ code: number; value: T }>;
  /** Starts it without waiting for its end. */
  begin(words: readonly string[], onLine?: (line: string) => void): Running;
  status(): Promise<Status>;
  /** Replaces text in files, which must hold it, and commits; the commit's id. */
  commit(message: string, ...edits: readonly Edit[]): Promise<string>;
  edit(...edits: readonly Edit[]): void;
  git(...words: string[]): Promise<string>;
  /** GETs an app by its host name through the published port; fails unless it answers 200. */
  ask(host: string): Promise<Told>;
  dispose(): Promise<void>;
};

export type Edit = { file: string; from: string | RegExp; to: string };

export const packageFolder = path.resolve(import.meta.dirname, '../..');
// Only what never comes to be takes so long: on a machine with other work a minute was once too short.
const limitMs = 180_000;
let worlds = 0;

/** Makes the folder from an example and commits it under its new name; starts nothing. */
export async function makeWorld(template: 'streaming' | 'hello' | 'guestbook', ...edits: readonly Edit[]): Promise<World> {
  const root = mkdtempSync(path.join(tmpdir(), 'changeless-e2e-'));
  const architecture = newName();
  const port = await freePort();
  const world = worldAt({ root, folder: path.join(root, 'repository'), architecture, port });
  try {
    const init = [cliProgram, 'init', 'repository', '--template', template];
    const made = await run({ program: process.execPath, words: init, cwd: root, env: environmentIn(root) });
    assert.equal(made.code, 0, made.stderr);
    await world.commit('A name and a port of its own', ...ownPlace(template, architecture, port), ...edits);
    return world;
  } catch (error) {
    await world.dispose();
    throw error;
  }
}

export const cliProgram = path.join(packageFolder, 'bin/changeless.mjs');

/** A name that the reaper of `npm test` knows for this run's. */
export const newName = (): string =>
  `${process.env['CHANGELESS_TEST_RUN'] ?? `e2e-${randomBytes(3).toString('hex')}`}-u${process.pid}-${++worlds}`;

/** The edits that give an example another name, and another port. */
export function ownPlace(template: string, name: string, port: number): Edit[] {
  const publish = `core: { publish: [{ address: '127.0.0.1', port: ${port} }] },`;
  const file = 'architecture.ts';
  if (template !== 'streaming') return [{ file, from: `name: '${template}',`, to: `name: '${name}',\n  ${publish}` }];
  return [
    { file, from: `name: 'streaming',`, to: `name: '${name}',` },
    { file, from: `core: { publish: [{ address: '127.0.0.1', port: 8080 }] },`, to: publish },
  ];
}

type Place = Pick<World, 'root' | 'folder' | 'architecture' | 'port'>;

/** The world of a folder that is there already; `dispose` removes what its architecture left on the engine. */
export function worldAt(place: Place): World {
  const { root, folder, architecture, port } = place;
  const env = environmentIn(root);
  const begin: World['begin'] = (words, onLine) =>
    start({ program: process.execPath, words: [cliProgram, ...words], cwd: folder, env, ...(onLine && { onLine }) });
  const changeless: World['changeless'] = (...words) => begin(words).ended;
  const git: World['git'] = async (...words) => {
    const { code, stdout, stderr } = await run({ program: 'git', words, cwd: folder, env });
    assert.equal(code, 0, `git ${words.join(' ')}: ${stderr}`);
    return stdout.trim();
  };
  const edit: World['edit'] = (...edits) => edits.forEach((each) => replaceText(path.join(folder, each.file), each));
  return {
    ...place,
    begin,
    changeless,
    git,
    edit,
    async done(...words) {
      const { code, stdout, stderr } = await changeless(...words);
      assert.equal(code, 0, `changeless ${words.join(' ')}: ${stderr}`);
      return stdout;
    },
    async json<T>(...words: string[]) {
      const { code, stdout, stderr } = await changeless(...words, '--json');
      assert.notEqual(stdout, '', stderr);
      return { code, value: JSON.parse(stdout) as T };
    },
    status: async () => JSON.parse((await changeless('status', '--json')).stdout) as Status,
    async commit(message, ...edits) {
      edit(...edits);
      await git('commit', '--quiet', '--all', '--allow-empty', '--message', message);
      return git('rev-parse', 'HEAD');
    },
    ask: (host) => ask({ host, port }),
    async dispose() {
      await removeAll(architecture);
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** What a user's shell has, with a cache and a git identity of this world only. */
export function environmentIn(root: string): NodeJS.ProcessEnv {
  const identity = {
    GIT_AUTHOR_NAME: 'E2E',
    GIT_AUTHOR_EMAIL: 'e2e@localhost',
    GIT_COMMITTER_NAME: 'E2E',
    GIT_COMMITTER_EMAIL: 'e2e@localhost',
  };
  return {
    ...process.env,
    ...identity,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    XDG_CACHE_HOME: path.join(root, 'cache'),
    XDG_CONFIG_HOME: path.join(root, 'config'),
  };
}

function replaceText(file: string, { from, to }: Edit): void {
  const before = readFileSync(file, 'utf8');
  const after = before.replace(from, () => to);
  assert.notEqual(after, before, `${file} does not hold ${String(from)}`);
  writeFileSync(file, after);
}

/** A port of the loopback that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** One GET on a connection of its own; the JSON of a 200, an error for anything else. */
export function ask({ host, port }: Address): Promise<Told> {
  return new Promise((resolve, reject) => {
    const options = { agent: false, host: '127.0.0.1', port, headers: { host }, signal: AbortSignal.timeout(10_000) };
    const request = http.get(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () =>
        response.statusCode === 200
          ? resolve(JSON.parse(text) as Told)
          : reject(new Error(`${host} answered ${response.statusCode ?? ''}: ${text}`)),
      );
    });
    request.on('error', reject);
  });
}

/** Looks until it is so, and gives what was seen then. What it throws counts as not so; the last of it is told when time is up. */
export async function until<T>(sentence: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = performance.now() + limitMs;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
    } catch (error) {
      last = error;
    }
    await aTurn();
  }
  throw new Error(`waited in vain until ${sentence}`, { cause: last });
}
