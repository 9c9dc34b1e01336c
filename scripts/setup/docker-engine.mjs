// Makes sure a Docker Engine answers: the one DOCKER_HOST names, the one that runs, or one installed and started here.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ensureProgram, mayInstall } from './debian.mjs';
import { engineAddress, engineClient } from './engine-client.mjs';
import { findProgram, mustRun, run } from './processes.mjs';
import { SetupProblem, timed } from './progress.mjs';

const START_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 5_000;

/** A client of an engine that answers; installs and starts one where this is root on Debian. */
export async function ensureEngine(environment = process.env) {
  const client = engineClient(engineAddress(environment));
  const found = await probe(client);
  if (found.state === 'running') return client;
  refuse(client, found, environment);
  await ensureProgram({
    program: 'dockerd',
    packages: ['docker.io', 'iptables', 'ca-certificates', 'apparmor'],
    purpose: 'to run containers (Docker Engine; Debian calls it docker.io)',
  });
  await timed('starting the Docker Engine', () => startEngine(client));
  return client;
}

/** `running`, `not-permitted` or `absent`, with the system's own words; never waits longer than a few seconds. */
export async function probe(client) {
  try {
    await client.json('GET', '/version', { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    return { state: 'running' };
  } catch (cause) {
    const refused = cause.code === 'EACCES' || cause.code === 'EPERM';
    return { state: refused ? 'not-permitted' : 'absent', why: cause.message };
  }
}

/**
 * Starts dockerd detached, with `live-restore` so that its own restart leaves containers running, and waits until it
 * answers. `settings` are further flags; the log lies beside Debian's others or where `logFile` says.
 */
export async function startDockerd({ client, settings = [], logFile = '/var/log/dockerd.log' }) {
  await mountCgroups();
  mkdirSync(path.dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'a');
  const child = spawn(findProgram('dockerd'), ['--live-restore', ...settings], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();
  await answered(client, { child, logFile });
  return child.pid;
}

function refuse(client, found, environment) {
  const { text } = client.address;
  if (found.state === 'not-permitted') {
    throw new SetupProblem(
      `the Docker Engine at ${text} does not let this user in (${found.why}): ` +
        'run `sudo usermod -aG docker $USER`, log in again and repeat, or repeat as root.',
    );
  }
  if (environment.DOCKER_HOST) {
    throw new SetupProblem(`no Docker Engine answers at DOCKER_HOST=${text} (${found.why}): start it, or unset DOCKER_HOST.`);
  }
  if (mayInstall() || (process.getuid?.() === 0 && findProgram('dockerd'))) return;
  const how = findProgram('dockerd')
    ? 'start it (`sudo systemctl start docker` or `sudo dockerd`)'
    : 'install Docker Engine (on Debian: `sudo apt-get install docker.io`)';
  throw new SetupProblem(`no Docker Engine answers at ${text} (${found.why}): ${how}, then run this again.`);
}

async function startEngine(client) {
  if (!existsSync('/run/systemd/system')) return startDockerd({ client });
  await mustRun(['systemctl', 'start', 'docker']);
  return answered(client, { child: { exitCode: null }, logFile: undefined });
}

async function answered(client, { child, logFile }) {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline && child.exitCode === null) {
    if ((await probe(client)).state === 'running') return;
    await delay(100);
  }
  const end = logFile ? `; the end of ${logFile}:\n${lastLines(logFile)}` : '; see `journalctl -u docker`';
  throw new SetupProblem(`dockerd was started but does not answer at ${client.address.text}${end}`);
}

function lastLines(file) {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-12).join('\n');
}

// Without an init system nobody may have mounted cgroups, and dockerd then refuses to start.
async function mountCgroups() {
  const folder = '/sys/fs/cgroup';
  if (!existsSync(folder) || readdirSync(folder).length > 0) return;
  await run(['mount', '-t', 'cgroup2', 'cgroup2', folder]);
}
