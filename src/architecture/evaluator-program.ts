/**
 * Runs where `architecture.ts` is evaluated: `node evaluator-program.js <entry> [folder]`. Imports the entry, and prints
 * one JSON document (`EvaluationOutput`) on standard output; what the modules log goes to standard error. Needs no package.
 * It keeps honest code deterministic; that nothing gets out is the business of the container around it.
 */
import { Console } from 'node:console';
import { writeSync } from 'node:fs';
import { Buffer } from 'node:buffer';
import { stripTypeScriptTypes } from 'node:module';
import process from 'node:process';
import type { EvaluationOutput } from './evaluation.ts';
import { installModuleHooks, moduleUrl, Refusal } from './evaluator-modules.ts';
import { removeSurroundings } from './evaluator-surroundings.ts';
import { toJsonValue } from './not-json.ts';

const [, , entry = 'architecture.ts', folder = '/architecture'] = process.argv;
const modules = installModuleHooks(folder);
let answered = false;

globalThis.console = new Console(process.stderr, process.stderr);
process.on('exit', () => {
  if (!answered)
    answer({
      ok: false,
      kind: 'threw',
      message: 'it waits for something that never happens',
      place: { file: entry },
      loaded: [...modules.loaded],
    });
});
const exit = process.exit.bind(process);
// Loads what strips types while it still finds the globals it needs.
stripTypeScriptTypes('');
removeSurroundings((what) => new Refusal(`evaluation sees the commit and nothing else: ${what} is not offered`));

answer(await evaluate());
exit(0);

async function evaluate(): Promise<EvaluationOutput> {
  const { loaded, missing } = modules;
  try {
    const module = (await import(moduleUrl(entry))) as { default?: unknown };
    if (!('default' in module))
      return { ok: false, kind: 'no-default-export', message: 'it has no default export', place: { file: entry }, loaded: [...loaded] };
    return { ok: true, value: toJsonValue(module.default), loaded: [...loaded].toSorted(), missing: [...missing].toSorted() };
  } catch (error) {
    return failure(error);
  }
}

function failure(error: unknown): EvaluationOutput {
  const loaded = [...modules.loaded];
  const message = error instanceof Error ? error.message : `it threw ${String(error)}`;
  const place = (error instanceof Refusal ? error.place : undefined) ?? modules.placeIn(error instanceof Error ? (error.stack ?? '') : '');
  const kind = error instanceof Refusal ? 'refused' : modules.isSyntaxError(error) ? 'syntax' : 'threw';
  return { ok: false, kind, message: modules.readable(message), ...(place && { place }), loaded };
}

// Synchronous: a pipe's asynchronous write would be cut off by the exit.
function answer(output: EvaluationOutput): void {
  answered = true;
  const bytes = Buffer.from(JSON.stringify(output));
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}
