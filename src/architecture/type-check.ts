import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EvaluationFile } from './evaluation.ts';
import { authoringTypesFiles } from './own-files.ts';
import { sourcePlace } from './parse-module.ts';
import { digestOf, digestOfBytes } from '../digest.ts';
import type { Finding } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';

export type TypeCheckOptions = { cacheFolder: string; signal?: AbortSignal };

export type TypesChecked = { durationMs: number; cached: boolean };

const LIMIT_MS = 60_000;

/**
 * Type errors in the modules an evaluation read (paths and problems relative to the repository's top): ARCHITECTURE_TYPES
 * with all of them. Only success is cached. Independent of evaluation and build, so it can run beside them.
 */
export async function checkTypes(files: readonly EvaluationFile[], options: TypeCheckOptions): Promise<Result<TypesChecked>> {
  const started = performance.now();
  const duration = (): number => Math.round(performance.now() - started);
  const mark = path.join(options.cacheFolder, 'types', await checkKey(files));
  if (
    await stat(mark).then(
      () => true,
      () => false,
    )
  )
    return done({ durationMs: duration(), cached: true });
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'changeless-types-')));
  try {
    await writeProject(folder, files);
    const output = await runCompiler(folder, options.signal);
    const findings = output.code === 0 ? [] : findingsIn(output.text, files);
    if (output.code !== 0 && findings.length === 0) throw new Error(`the TypeScript compiler failed: ${output.text}`);
    if (findings.length > 0) return failed(typeErrors(findings));
    await writeMark(mark);
    return done({ durationMs: duration(), cached: false });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function checkKey(files: readonly EvaluationFile[]): Promise<string> {
  const [types, compiler] = await Promise.all([
    Promise.all(authoringTypesFiles().map((file) => readFile(file, 'utf8'))),
    compilerPackage(),
  ]);
  const contents = files.map((file) => [file.path, digestOfBytes(file.contents)]);
  return digestOf({ files: contents, types: digestOf(types), compiler: compiler.version, options: compilerOptions(''), offered });
}

/** What evaluation offers besides the language, so that `process` or `fetch` is a type error where it is used. */
const offered = `declare const console: Record<'log' | 'info' | 'warn' | 'error' | 'debug', (...values: unknown[]) => void>;
declare class URLSearchParams { constructor(init?: string | Record<string, string> | [string, string][]); get(name: string): string | null; set(name: string, value: string): void; append(name: string, value: string): void; toString(): string }
declare class URL { constructor(url: string, base?: string | URL); href: string; host: string; hostname: string; port: string; pathname: string; protocol: string; search: string; readonly searchParams: URLSearchParams; readonly origin: string; toString(): string }
declare class TextEncoder { encode(text?: string): Uint8Array }
declare class TextDecoder { decode(bytes?: Uint8Array): string }
declare function structuredClone<T>(value: T): T;
declare function queueMicrotask(callback: () => void): void;
declare function atob(text: string): string;
declare function btoa(text: string): string;
`;

const compilerOptions = (authoring: string) => ({
  target: 'es2024',
  lib: ['es2024', 'esnext.disposable'],
  module: 'esnext',
  moduleResolution: 'bundler',
  moduleDetection: 'force',
  types: [],
  paths: { changeless: [authoring] },
  resolveJsonModule: true,
  allowJs: true,
  allowImportingTsExtensions: true,
  noEmit: true,
  strict: true,
  skipLibCheck: true,
});

async function writeProject(folder: string, files: readonly EvaluationFile[]): Promise<void> {
  const sources = path.join(folder, 'commit');
  const modules = files.filter((file) => !file.path.endsWith('.json'));
  const project = {
    compilerOptions: compilerOptions(authoringTypesFiles()[0]),
    files: ['offered.d.ts', ...modules.map((file) => `commit/${file.path}`)],
  };
  await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify(project));
  await writeFile(path.join(folder, 'offered.d.ts'), offered);
  for (const file of files) {
    const target = path.join(sources, file.path);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, file.contents);
  }
}

async function compilerPackage(): Promise<{ program: string; version: string }> {
  const manifest = fileURLToPath(import.meta.resolve('typescript/package.json'));
  const { bin, version } = JSON.parse(await readFile(manifest, 'utf8')) as { bin: { tsc: string }; version: string };
  return { program: path.join(path.dirname(manifest), bin.tsc), version };
}

async function runCompiler(folder: string, signal: AbortSignal | undefined): Promise<{ code: number; text: string }> {
  const { program } = await compilerPackage();
  const child = spawn(process.execPath, [program, '-p', folder, '--pretty', 'false'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    ...(signal && { signal }),
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, text }));
  });
}

// `commit/a.ts(3,5): error TS2322: …`, continued by indented lines.
function findingsIn(output: string, files: readonly EvaluationFile[]): Finding[] {
  const contents = new Map(files.map((file) => [file.path, file.contents]));
  const findings: Finding[] = [];
  for (const line of output.split('\n')) {
    const match = /^(?:commit\/)?(.+?)\((\d+),(\d+)\): error (TS\d+): (.*)$/.exec(line);
    const last = findings.at(-1);
    if (match !== null) {
      const [, file = '', row, column, code, what] = match;
      findings.push({
        place: sourcePlace(file, contents.get(file) ?? '', { line: Number(row), column: Number(column) }),
        what: `${what} (${code})`,
      });
    } else if (last !== undefined && /^\s+\S/.test(line)) last.what += `\n${line.trimEnd()}`;
  }
  return findings;
}

function typeErrors(findings: readonly Finding[]) {
  const first = findings[0]?.place;
  return {
    code: 'ARCHITECTURE_TYPES' as const,
    what: `TypeScript found ${findings.length === 1 ? 'a type error' : `${findings.length} type errors`} in the architecture`,
    safe: 'nothing was changed',
    ...(first && { next: `correct ${first.file}:${first.line}, commit, and run the command again` }),
    findings,
  };
}

// A cache that cannot be written costs time, not the command.
async function writeMark(mark: string): Promise<void> {
  const temporary = `${mark}.${randomUUID()}`;
  try {
    await mkdir(path.dirname(mark), { recursive: true });
    await writeFile(temporary, '');
    await rename(temporary, mark);
  } catch {
    await rm(temporary, { force: true }).catch(() => {});
  }
}
