// Makes dist/ from src/: the public API with its types, and the command line as one bundle with lazy chunks.
// The same source gives the same bytes on every machine and in every folder. Does nothing when dist/ is up to date.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ensureDependencies } from './setup/dependencies.mjs';
import { filesUnder } from './setup/files.mjs';
import { mustRun, nodeProgram, rootFolder } from './setup/processes.mjs';
import { runScript, say, SetupProblem, timed } from './setup/progress.mjs';

const DIST = path.join(rootFolder, 'dist');
const STAMP = path.join(DIST, 'source.sha256');
// Beside the packages, so that it is on the same file system and in nobody's way.
const NEXT = 'node_modules/.changeless-dist';
const OTHER_INPUTS = ['tsconfig.json', 'tsconfig.build.json', 'package.json', 'package-lock.json', 'scripts/build.mjs'];

// Each is one file that needs no other: it is imported by the user's architecture.ts, or runs in a process of its own.
const STANDING_ALONE = {
  'architecture/authoring': 'src/architecture/authoring.ts',
  'controller/evaluator': 'src/architecture/evaluator-program.ts',
  'controller/controller': 'src/cli/controller-program.ts',
  'controller/gateway': 'src/cli/gateway-program.ts',
};

// What opens secrets is as large as all else of a controller: it lies beside it, and is read when there is one to open.
const AGE = { out: 'controller/age', source: 'node_modules/age-encryption/dist/index.js', name: './age.js' };

// Bundled CommonJS packages ask for Node's modules by require, which an ES module does not have.
const REQUIRE = "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/** Builds what changed since the last build; `force` builds in any case. */
export async function build({ force = false } = {}) {
  const digest = sourceDigest();
  if (!force && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === digest) return;
  await timed('building dist/', async () => {
    const next = path.join(rootFolder, NEXT);
    rmSync(next, { recursive: true, force: true });
    await Promise.all([buildTypes(), buildPrograms()]);
    checkTypesStandAlone();
    writeFileSync(path.join(next, path.basename(STAMP)), digest);
    rmSync(DIST, { recursive: true, force: true });
    renameSync(next, DIST);
  });
}

function sourceDigest() {
  const hash = createHash('sha256');
  const sources = filesUnder('src').filter((file) => !file.endsWith('.test.ts'));
  for (const file of [...sources, ...OTHER_INPUTS])
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.join(rootFolder, file)))
      .update('\0');
  return hash.digest('hex');
}

async function buildTypes() {
  if (!exists('src/architecture/authoring.ts')) return skipped('src/architecture/authoring.ts');
  await mustRun([nodeProgram(), 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', NEXT]);
}

async function buildPrograms() {
  const { build: runEsbuild } = await import('esbuild');
  const bundle = (options) => runEsbuild(options).catch(asProblem);
  const shared = {
    absWorkingDir: rootFolder,
    bundle: true,
    external: ['typescript'],
    format: 'esm',
    legalComments: 'eof',
    logLevel: 'warning',
    outdir: NEXT,
    platform: 'node',
    target: 'node24',
  };
  for (const [out, source] of Object.entries(STANDING_ALONE)) {
    const isController = out === 'controller/controller';
    const beside = isController ? { alias: { 'age-encryption': AGE.name }, external: [...shared.external, AGE.name] } : {};
    const banner = isController ? { js: REQUIRE } : {};
    if (exists(source)) await bundle({ ...shared, ...beside, banner, entryPoints: { [out]: source } });
  }
  await bundle({ ...shared, entryPoints: { [AGE.out]: AGE.source } });
  if (!exists('src/cli/main.ts')) return skipped('src/cli/main.ts');
  await bundle({
    ...shared,
    banner: { js: REQUIRE },
    chunkNames: 'cli/[name]-[hash]',
    entryPoints: { 'cli/main': 'src/cli/main.ts' },
    splitting: true,
  });
}

// esbuild has printed what is wrong by then.
function asProblem({ errors }) {
  throw new SetupProblem(`the source cannot be bundled: ${errors?.length ?? 1} error(s), see above.`);
}

// What the published types import must be published as well.
function checkTypesStandAlone() {
  for (const file of filesUnder(NEXT).filter((name) => name.endsWith('.d.ts'))) {
    const text = readFileSync(path.join(rootFolder, file), 'utf8');
    const foreign = [...text.matchAll(/from ['"]([^'".][^'"]*)['"]/g)].map((match) => match[1]).find((name) => !name.startsWith('node:'));
    if (foreign) throw new SetupProblem(`${file} imports ${foreign}, which is not installed with the package.`);
  }
}

function exists(file) {
  return existsSync(path.join(rootFolder, file));
}

function skipped(file) {
  say(`  ${file} does not exist yet; its part of dist/ is left out`);
}

if (import.meta.main ?? process.argv[1] === import.meta.filename) {
  await runScript(async () => {
    await ensureDependencies();
    await build({ force: process.argv.includes('--force') });
    return 0;
  });
}
