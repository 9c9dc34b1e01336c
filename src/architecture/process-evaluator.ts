import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  evaluationArguments,
  evaluationEnvironment,
  evaluationLimitMs,
  type Evaluator,
  type EvaluationProgram,
  parseEvaluationOutput,
} from './evaluation.ts';
import { evaluatorProgramFile } from './own-files.ts';

/**
 * Evaluates in a child process under Node's permission model. Honest code cannot tell it from the container, but it is no
 * wall: code that wants to can still reach the network. For tests, and where the engine is not a real one.
 */
export const processEvaluator: Evaluator = async (program) => {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'changeless-evaluation-')));
  try {
    await writeProgram(folder, program);
    return parseEvaluationOutput(await run(folder, program.entry));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

async function writeProgram(folder: string, { files }: EvaluationProgram): Promise<void> {
  const folders = new Set(files.map((file) => path.dirname(path.join(folder, file.path))));
  for (const needed of folders) await mkdir(needed, { recursive: true });
  await Promise.all(files.map((file) => writeFile(path.join(folder, file.path), file.contents)));
}

function run(folder: string, entry: string): Promise<Parameters<typeof parseEvaluationOutput>[0]> {
  const program = evaluatorProgramFile();
  const permissions = ['--permission', `--allow-fs-read=${folder}`, `--allow-fs-read=${path.dirname(program)}`];
  const child = spawn(process.execPath, [...permissions, ...evaluationArguments(program, entry, folder)], {
    cwd: folder,
    env: evaluationEnvironment,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: evaluationLimitMs,
    killSignal: 'SIGKILL',
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString('utf8');
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({ exitCode: code ?? 1, stdout: text(stdout), stderr: text(stderr), timedOut: signal === 'SIGKILL' }),
    );
  });
}
