import path from 'node:path';
import type { EvaluationFailure, EvaluationOutput, EvaluationPlace } from './evaluation.ts';
import { parseModule, sourcePlace } from './parse-module.ts';
import type { Finding, Problem, ProblemCode, SourcePlace } from '../problem.ts';

/** The evaluated sources, by path as problems name them. */
export type EvaluatedSource = { files: ReadonlyMap<string, string>; folder: string; entry: string };

type Failed = Extract<EvaluationOutput, { ok: false }>;

const codes = {
  syntax: 'ARCHITECTURE_SYNTAX',
  threw: 'ARCHITECTURE_THREW',
  refused: 'ARCHITECTURE_THREW',
  'no-default-export': 'ARCHITECTURE_INVALID',
} as const satisfies Record<EvaluationFailure, ProblemCode>;

/** An evaluation that failed, for the person who wrote the file: with the place in the repository and its line of text. */
export function evaluationProblem(output: Failed, source: EvaluatedSource): Problem {
  const { place, message } = locateFailure(output, source);
  const finding: Finding = {
    place,
    what: output.kind === 'no-default-export' ? 'expected a default export, export default architecture({ … }), found none' : message,
  };
  const at = `${place.file}:${place.line}`;
  return {
    code: codes[output.kind],
    what: whatHappened(output.kind, place.file, source.entry),
    why: message,
    safe: 'nothing was built or changed',
    next: `correct ${at}, commit, and run the command again`,
    findings: [finding],
  };
}

function whatHappened(kind: EvaluationFailure, file: string, entry: string): string {
  if (kind === 'syntax') return `${file} cannot be parsed`;
  if (kind === 'refused') return `${file} uses what evaluation does not offer`;
  if (kind === 'threw') return `${file} threw while it was evaluated`;
  return `${entry} exports no architecture`;
}

// What the program cannot say exactly (V8 keeps the place of a module's syntax error to itself), parsing here finds.
function locateFailure(output: Failed, source: EvaluatedSource): { place: SourcePlace; message: string } {
  const { place, message } = output;
  if (place?.line !== undefined) return { place: placed(place, source), message };
  const suspects = [...(place === undefined ? [] : [place.file]), ...output.loaded.toReversed()];
  const found = output.kind === 'syntax' ? firstSyntaxError(suspects, message, source) : undefined;
  return found ?? { place: placed(place ?? { file: path.posix.relative(source.folder, source.entry) }, source), message };
}

function firstSyntaxError(suspects: readonly string[], message: string, source: EvaluatedSource) {
  for (const file of suspects) {
    if (file.endsWith('.json')) {
      const position = /\(line (\d+) column (\d+)\)/.exec(message);
      if (position !== null && message.startsWith(`${file}:`))
        return { place: placed({ file, line: Number(position[1]), column: Number(position[2]) }, source), message };
      continue;
    }
    const parsed = parseModule(file, source.files.get(path.posix.join(source.folder, file)) ?? '');
    if (!parsed.ok) return { place: placed({ file, line: parsed.line, column: parsed.column }, source), message: parsed.message };
  }
  return undefined;
}

function placed(place: EvaluationPlace, { files, folder }: EvaluatedSource): SourcePlace {
  const file = path.posix.join(folder, place.file);
  return sourcePlace(file, files.get(file) ?? '', { line: place.line ?? 1, column: place.column ?? 1 });
}
