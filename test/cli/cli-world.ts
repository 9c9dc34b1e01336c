import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from '../../src/cli/run.ts';
import type { Delivery } from '../../src/cli/delivery.ts';
import { answerFrom } from '../../src/cli/controller-work.ts';
import { questionIn } from '../../src/cli/ledger-question.ts';
import { createDelivery } from '../../src/cli/real-delivery.ts';
import type { World } from '../../src/cli/world.ts';
import { runController } from '../../src/controller/run-controller.ts';
import { createMemoryEngine } from '../../src/engine/memory/create-memory-engine.ts';
import type { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import type { OnceRequest, OnceResult } from '../../src/engine/image.ts';
import { secretOpener } from '../../src/secrets/open-secret.ts';
import { identityVolume } from '../../src/engine/engine.ts';
import { Secret } from '../../src/secret.ts';
import { takesInbox } from '../../src/cli/takes-inbox.ts';
import { InboxReader } from '../../src/gateway/inbox-reader.ts';
import { PowerlessFiles } from '../gateway/powerless-files.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite-ledger.ts';
import { processEvaluator } from '../../src/architecture/process-evaluator.ts';
import { decodeManifest } from '../../src/release/manifest-codec.ts';
import { manifestPath } from '../../src/release/manifest.ts';
import { done } from '../../src/result.ts';

export type Answer = { code: number; stdout: string; stderr: string };

/** The real command line in a world of its own: a temporary folder, a memory engine whose controllers are the real ones. */
export type CliWorld = {
  folder: string;
  engine: MemoryEngine;
  ledger: Ledger;
  /** What a gateway has written down. */
  inbox: PowerlessFiles;
  /** Runs the command line in the folder. */
  changeless(...argv: string[]): Promise<Answer>;
  /** The same, with an answer that is JSON. */
  json<T = Record<string, unknown>>(...argv: string[]): Promise<{ code: number; value: T; stderr: string }>;
  /** Runs the command line and interrupts it when something of the condition is on stderr. */
  interrupted(when: RegExp, ...argv: string[]): Promise<Answer>;
  /** What a process in a container of the builder finds; what it says is given to `say`. */
  builder(say: (text: string) => void): World;
  git(...words: string[]): string;
  write(file: string, contents: string): void;
  /** What commands find on standard input. */
  typed: { text: string; terminal: boolean };
  /** Where the user's keys are. */
  identities: string;
  dispose(): Promise<void>;
};

const packageFolder = path.resolve(import.meta.dirname, '../..');

export async function makeCliWorld(): Promise<CliWorld> {
  const root = mkdtempSync(path.join(tmpdir(), 'changeless-cli-'));
  const ground = await makeGround(root);
  const { folder, engine, ledger, git } = ground;
  const logs = path.join(root, 'logs');
  const controllers = runControllers({ ...ground, logs });
  engine.world.images.onRunOnce = (request) => answerOnce(request, ledger, logs);
  const start = async (argv: readonly string[], when?: RegExp): Promise<Answer> => {
    const said: Said = { out: [], err: [], abort: new AbortController() };
    const code = await run(argv, worldOf(ground, said, when));
    return { code, stdout: said.out.join(''), stderr: said.err.join('') };
  };
  return {
    folder,
    engine,
    ledger,
    inbox: ground.inbox,
    git,
    typed: ground.typed,
    identities: path.join(root, 'config/identities'),
    changeless: (...argv) => start(argv),
    interrupted: (when, ...argv) => start(argv, when),
    builder(say) {
      const out = { write: say, isTerminal: false, columns: 120 };
      return { ...worldOf(ground, { out: [], err: [], abort: new AbortController() }, undefined), stdout: out, stderr: out };
    },
    write(file, contents) {
      mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
      writeFileSync(path.join(folder, file), contents);
    },
    async json<T>(...argv: string[]) {
      const { code, stdout, stderr } = await start([...argv, '--json']);
      return { code, value: JSON.parse(stdout) as T, stderr };
    },
    async dispose() {
      await controllers.stop();
      await ledger.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

type Ground = {
  root: string;
  folder: string;
  engine: MemoryEngine;
  ledger: Ledger;
  inbox: PowerlessFiles;
  env: Record<string, string>;
  git: CliWorld['git'];
  delivery: Delivery;
  typed: CliWorld['typed'];
};

/** Stands for the installed package. */
function packageIn(root: string): string {
  const folder = path.join(root, 'package');
  for (const part of ['dist', 'images']) mkdirSync(path.join(folder, part), { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{}');
  return folder;
}

async function makeGround(root: string): Promise<Ground> {
  const folder = path.join(root, 'repository');
  const bundle = path.join(root, 'bundle');
  for (const made of [folder, bundle]) mkdirSync(made);
  writeFileSync(path.join(bundle, 'controller.js'), '// stands for the bundled controller\n');
  const opened = await openSqliteLedger(':memory:');
  if (!opened.ok) throw new Error(opened.problem.what);
  const at = '2026-01-01T00:00:00Z';
  const env = { PATH: process.env['PATH'] ?? '', HOME: root, GIT_CONFIG_NOSYSTEM: '1', GIT_AUTHOR_DATE: at, GIT_COMMITTER_DATE: at };
  const git = (...words: string[]): string =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=Test', '-c', 'user.email=test@localhost', ...words], {
      env,
      encoding: 'utf8',
    }).trim();
  const images = (name: string): string => path.join(packageFolder, 'images', name);
  const assets = { version: '0.0.0', bundle, proxy: images('proxy'), git: images('git'), package: packageIn(root) };
  const delivery = createDelivery({ assets, evaluator: () => processEvaluator, typeCheck: false });
  const inbox = new PowerlessFiles();
  return {
    root,
    folder,
    engine: createMemoryEngine(),
    ledger: opened.value,
    inbox,
    env,
    git,
    delivery,
    typed: { text: '', terminal: false },
  };
}

type Said = { out: string[]; err: string[]; abort: AbortController };

let seed = 0;

/** `when`: interrupts once stderr says this. */
function worldOf({ root, folder, engine, env, delivery, typed }: Ground, { out, err, abort }: Said, when: RegExp | undefined): World {
  const hear = (text: string): void => {
    err.push(text);
    if (when?.test(text)) abort.abort();
  };
  return {
    cwd: folder,
    // An engine elsewhere: what this machine's processes listen on is none of its business.
    env: { ...env, DOCKER_HOST: 'tcp://memory' },
    stdout: { isTerminal: false, columns: 120, write: (text) => void out.push(text) },
    stderr: { isTerminal: false, columns: 120, write: hear },
    stdin: { isTerminal: typed.terminal, read: async () => new TextEncoder().encode(typed.text), readHidden: async () => typed.text },
    signal: abort.signal,
    terminated: new AbortController().signal,
    cacheFolder: path.join(root, 'cache'),
    configFolder: path.join(root, 'config'),
    packageFolder,
    clock: () => '2026-01-01T00:00:00.000Z',
    random: (characters) => String((seed += 1)).padStart(characters, '0'),
    engine: async () => done(engine),
    delivery: async () => delivery,
  };
}

type Grounds = Pick<CliWorld, 'engine' | 'ledger' | 'inbox'> & { logs: string };

function runControllers({ engine, ledger, inbox, logs }: Grounds): { stop(): Promise<void> } {
  const running = new Set<Promise<unknown>>();
  const aborts = new Set<AbortController>();
  engine.world.onController = (spec, { container, stopped, print }) => {
    const abort = new AbortController();
    aborts.add(abort);
    stopped.addEventListener('abort', () => abort.abort());
    const begin = async (): Promise<void> => {
      const manifest = decodeManifest((await engine.images.readFile(spec.image, manifestPath)) ?? new Uint8Array());
      if (!manifest.ok) throw new Error('a release image without manifest');
      await runController({
        engine,
        ledger,
        manifest: manifest.value,
        environment: spec.environment,
        self: container,
        print: (event) => print(JSON.stringify(event)),
        signal: abort.signal,
        openSecret: secretOpener(async () => {
          const kept = engine.world.contentsOf(manifest.value.inputs.architecture.name, identityVolume);
          return kept === undefined ? undefined : new Secret(kept);
        }),
        paceMs: 4,
        clock: hurryingClock(),
        logs,
        ...(takesInbox(manifest.value) && { inbox: new InboxReader(inbox) }),
      });
    };
    running.add(begin());
  };
  return {
    async stop() {
      for (const abort of aborts) abort.abort();
      await Promise.all(running);
    },
  };
}

/** Questions to the ledger are answered as the container would; every other container simply succeeds. */
async function answerOnce({ command = [] }: OnceRequest, ledger: Ledger, logs: string): Promise<Partial<OnceResult>> {
  if (!command[1]?.endsWith('/controller.js')) return {};
  const question = questionIn(command.slice(2));
  if (!question.ok) return { exitCode: 1, stderr: question.problem.what };
  return question.value ? { stdout: JSON.stringify(await answerFrom(ledger, { folder: logs }, question.value)) } : {};
}

/** Each look at it is 20 ms after the one before, so that limits pass without anyone waiting. */
function hurryingClock(): () => Date {
  let ms = Date.UTC(2026, 0, 1);
  return () => new Date((ms += 20));
}
