import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Run unbuilt, these lie beside this file as TypeScript; published, this file is part of a bundle in dist/cli,
// and the programs that run in containers are in dist/controller.

/** The evaluator's program. */
export const evaluatorProgramFile = (): string => firstOf(['./evaluator-program.ts', '../controller/evaluator.js']);

/** What type checking takes for the package `changeless`: the first, which imports the others. */
export const authoringTypesFiles = (): readonly [string, ...string[]] => [
  typesFile('authoring'),
  typesFile('container-authoring'),
  typesFile('channel-authoring'),
  typesFile('deliver-authoring'),
  typesFile('job-authoring'),
  typesFile('policy-authoring'),
  typesFile('size-authoring'),
];

const typesFile = (name: string): string => firstOf([`./${name}.ts`, `../architecture/${name}.d.ts`]);

function firstOf(candidates: readonly string[]): string {
  const files = candidates.map((candidate) => fileURLToPath(new URL(candidate, import.meta.url)));
  const found = files.find((file) => existsSync(file));
  if (found === undefined) throw new Error(`the installation lacks ${files.join(' and ')}`);
  return found;
}
