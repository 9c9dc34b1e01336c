// What a set-up script says while it works: whole lines, so that a pipe and a terminal read alike.

/** One line on stderr; stdout is left to the answer of the command that follows. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Runs `work`, saying what starts and how long it took. What it throws passes through. */
export async function timed(what, work) {
  const startedAt = performance.now();
  say(`  ${what} …`);
  const result = await work();
  say(`  ${what}: done in ${secondsSince(startedAt)}`);
  return result;
}

/** Seconds since a `performance.now()`, as text with one decimal. */
export function secondsSince(startedAt) {
  return `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
}

/** A problem the reader can solve: shown as its sentence, without a stack. */
export class SetupProblem extends Error {}

/** Runs a script's main function; a SetupProblem is printed as a sentence and ends with exit code 1. */
export async function runScript(main) {
  try {
    process.exitCode = await main();
  } catch (problem) {
    if (!(problem instanceof SetupProblem)) throw problem;
    say(`error ${problem.message}`);
    process.exitCode = 1;
  }
}
