import type { Problem } from '../problem.ts';
import { failed, type Result } from '../result.ts';

/** Moves when the same files could evaluate to something else: it is part of every cached evaluation's name. */
export const evaluationVersion = 1;

/** A module of the commit. `path` is relative to the architecture's folder. */
export type EvaluationFile = { path: string; contents: string };

/** What is to be evaluated: the modules, and which of them is the architecture. */
export type EvaluationProgram = { files: readonly EvaluationFile[]; entry: string };

/** Where in the evaluated files; paths as in the program. */
export type EvaluationPlace = { file: string; line?: number; column?: number };

export type EvaluationFailure = 'syntax' | 'threw' | 'refused' | 'no-default-export';

/**
 * What the evaluator's program answers. `loaded` are the modules it read, `missing` those it looked for in vain:
 * as long as both stay so, the answer does.
 */
export type EvaluationOutput =
  | { ok: true; value: unknown; loaded: readonly string[]; missing: readonly string[] }
  | { ok: false; kind: EvaluationFailure; message: string; place?: EvaluationPlace; loaded: readonly string[] };

/** Where the program runs: a container without network, or a process. A problem means it could not be run at all. */
export type Evaluator = (program: EvaluationProgram) => Promise<Result<EvaluationOutput>>;

/** Where the program expects the files when it is told no other folder. */
export const evaluationFolder = '/architecture';

/** How long an architecture may compute. */
export const evaluationLimitMs = 20_000;

/** Everything a program needs in its container, as a tree below `/`. */
export const evaluationFiles = (program: EvaluationProgram): EvaluationFile[] =>
  program.files.map(({ path, contents }) => ({ path: `${evaluationFolder.slice(1)}/${path}`, contents }));

/** Arguments of `node`. `folder` where the files are not in `evaluationFolder`. */
export const evaluationArguments = (programFile: string, entry: string, folder?: string): string[] => [
  '--disable-warning=ExperimentalWarning',
  '--disallow-code-generation-from-strings',
  programFile,
  entry,
  ...(folder === undefined ? [] : [folder]),
];

/** Fixed, so that neither time zone nor language of the machine reaches what is evaluated. */
export const evaluationEnvironment = { TZ: 'UTC', LC_ALL: 'C' } as const;

/** The answer in what the program printed, or why there is none. */
export function parseEvaluationOutput(ended: {
  exitCode: number;
  stdout: string;
  stderr: string;
  timedOut: boolean;
}): Result<EvaluationOutput> {
  if (ended.timedOut) return failed(unanswered(`it was still computing after ${evaluationLimitMs / 1000} s`, ended.stderr));
  try {
    return { ok: true, value: JSON.parse(ended.stdout) as EvaluationOutput };
  } catch {
    return failed(unanswered(`the evaluation ended with exit code ${ended.exitCode} and no answer`, ended.stderr));
  }
}

const unanswered = (why: string, stderr: string): Problem => ({
  code: 'ARCHITECTURE_THREW',
  what: 'architecture.ts could not be evaluated',
  why,
  safe: 'nothing was built or changed',
  next: 'see that it ends by itself: it only has to describe the architecture',
  lines: stderr.split('\n').filter(Boolean).slice(-10),
});
