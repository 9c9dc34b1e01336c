// Installing Debian's packages, which only root on Debian may do.
import { existsSync } from 'node:fs';
import { findProgram, mustRun } from './processes.mjs';
import { SetupProblem, timed } from './progress.mjs';

let listsAreFresh = false;

/** Whether this process may install packages here. */
export function mayInstall() {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && findProgram('apt-get') !== undefined;
}

/** Makes sure `program` is there, from Debian's `packages` if need be; otherwise a sentence says what to install. */
export async function ensureProgram({ program, packages, purpose }) {
  if (findProgram(program)) return;
  if (!mayInstall()) {
    const how = existsSync('/etc/debian_version')
      ? `apt-get install ${packages.join(' ')} (as root), then run this again`
      : `install ${program} for this system, then run this again`;
    throw new SetupProblem(`${program} is missing, which is needed ${purpose}: ${how}.`);
  }
  await installPackages(packages);
}

// RUNLEVEL=1 keeps invoke-rc.d from starting services: Docker's init script fails where ulimits may not be raised.
async function installPackages(packages) {
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  if (!listsAreFresh) {
    await timed("reading Debian's package lists (apt-get update)", () => mustRun(['apt-get', 'update'], { environment }));
    listsAreFresh = true;
  }
  await timed(`installing ${packages.join(', ')} (apt-get install)`, () =>
    mustRun(['apt-get', 'install', '-y', '--no-install-recommends', ...packages], { environment }),
  );
}
