import { stripTypeScriptTypes } from 'node:module';
import { parse, type Program } from 'acorn';
import type { SourcePlace } from '../problem.ts';

/** A module's syntax, with positions as in the file: types are blanked out, not removed. */
export type ParsedModule = { ok: true; program: Program } | { ok: false; message: string; line: number; column: number };

type Failure = Extract<ParsedModule, { ok: false }>;

/** Parses JavaScript or TypeScript, by the file's ending. Lines and columns of a syntax error count from 1. Never throws. */
export function parseModule(file: string, contents: string): ParsedModule {
  const stripped = /\.m?ts$/.test(file) ? stripTypes(contents) : contents;
  if (typeof stripped !== 'string') return stripped;
  try {
    return { ok: true, program: parse(stripped, { ecmaVersion: 'latest', sourceType: 'module', locations: true, allowHashBang: true }) };
  } catch (error) {
    return acornFailure(error as SyntaxError & { loc?: { line: number; column: number } });
  }
}

/** A file's line, with the place's file, line and column. */
export function sourcePlace(file: string, contents: string, position: { line: number; column: number }): SourcePlace {
  const text = contents.split(/\r\n|[\n\r\u2028\u2029]/)[position.line - 1];
  return { file, line: position.line, column: position.column, ...(text !== undefined && { text }) };
}

function stripTypes(contents: string): string | Failure {
  // The warning that the function is experimental would end up in what the command line prints.
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(contents);
  } catch (error) {
    return typeScriptFailure(error as Error);
  } finally {
    process.emitWarning = emitWarning;
  }
}

// Node gives the place only in the first lines of the stack: `:3`, the line of source, and `^^^` under what is wrong.
function typeScriptFailure(error: Error): Failure {
  const [first = '', ...rest] = (error.stack ?? '').split('\n');
  const line = Number(/:(\d+)$/.exec(first)?.[1] ?? 1);
  const caret = rest.find((text) => /^\s*\^+\s*$/.test(text));
  return { ok: false, message: error.message, line, column: (caret?.indexOf('^') ?? 0) + 1 };
}

function acornFailure(error: SyntaxError & { loc?: { line: number; column: number } }): Failure {
  const message = error.message.replace(/ \(\d+:\d+\)$/, '');
  return { ok: false, message, line: error.loc?.line ?? 1, column: (error.loc?.column ?? 0) + 1 };
}
