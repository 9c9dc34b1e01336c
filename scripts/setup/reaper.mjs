// Removes what one test run made: waits until its standard input closes (the runner ended, or was killed), ends the
// processes of the run, then removes its containers, networks, volumes and images, and at last its temporary folder.
// Started by scripts/test.mjs: reaper.mjs <run id> [temporary folder].
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { engineClient } from './engine-client.mjs';
import { say } from './progress.mjs';

const LABEL = 'dev.changeless.architecture';
const ROLE = 'dev.changeless.role';
const ROUNDS = 20;

const [, , runId, temporaryFolder] = process.argv;
if (!/^t[0-9a-f]{6,}$/.test(runId ?? '')) throw new Error(`expected a test run's id, got ${runId}`);

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
const client = engineClient();
const tagsBefore = new Set((await images()).flatMap(tagsOf));
process.stdout.write('ready\n');
await closed(process.stdin);
await endProcesses();
await removeAll();
if (temporaryFolder) rmSync(temporaryFolder, { recursive: true, force: true });

async function closed(stream) {
  stream.resume();
  await new Promise((resolve) => stream.once('close', resolve).once('end', resolve));
}

// Every process of the run has inherited the run's id, also those that made themselves independent of the runner.
async function endProcesses() {
  for (let round = 0; round < ROUNDS; round++) {
    const found = processIds().filter((pid) => runOf(pid) === runId);
    if (found.length === 0) return;
    for (const pid of found) endProcess(Number(pid));
    await delay(50);
  }
}

function othersRun() {
  return processIds().some((pid) => (runOf(pid) ?? runId) !== runId);
}

async function othersAreUp() {
  const all = await client.json('GET', '/containers/json?all=1');
  return all.some(({ Labels: labels }) => labels[LABEL] !== undefined && !isOfRun(labels));
}

function processIds() {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

// The process may be gone by now, or belong to a user whose processes are none of ours.
function runOf(pid) {
  try {
    return /(?:^|\0)CHANGELESS_TEST_RUN=([^\0]*)/.exec(readFileSync(`/proc/${pid}/environ`, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

function endProcess(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (cause) {
    if (cause.code !== 'ESRCH') throw cause;
  }
}

// A controller that is still up makes again what is removed, so it goes first, and the rounds go on until nothing is left.
async function removeAll() {
  const alone = !othersRun() && !(await othersAreUp());
  for (let round = 0; round < ROUNDS; round++) {
    const removals = [...(await containers()), ...(await networks()), ...(await volumes()), ...(await newImages(alone))];
    if (removals.length === 0) return;
    const results = [];
    for (const target of removals) results.push(await remove(target));
    if (!results.includes(true)) return say(`  left on the engine by test run ${runId}: ${removals.join(' ')}`);
  }
}

async function containers() {
  const all = (await client.json('GET', '/containers/json?all=1')).filter(({ Labels: labels }) => isOfRun(labels));
  const ordered = all.toSorted((a, b) => isController(b) - isController(a));
  return ordered.map(({ Id: id }) => `/containers/${id}?force=1&v=1`);
}

async function networks() {
  const all = await client.json('GET', '/networks');
  return all.filter(({ Labels: labels }) => isOfRun(labels)).map(({ Id: id }) => `/networks/${id}`);
}

async function volumes() {
  const { Volumes: all } = await client.json('GET', '/volumes');
  return (all ?? []).filter(({ Labels: labels }) => isOfRun(labels)).map(({ Name: name }) => `/volumes/${name}?force=1`);
}

// A new image without the run's label or name is one that architectures share (a base, the proxy). While another test run
// is under way or another architecture is up, it may be theirs: it is left.
async function newImages(alone) {
  const used = new Set((await client.json('GET', '/containers/json?all=1')).map(({ ImageID: id }) => id));
  const all = await images();
  return all.flatMap((image) => {
    const tags = tagsOf(image);
    if (isOfRun(image.Labels)) return tags.length > 0 ? tags.map(removal) : [removal(image.Id)];
    const isAnothers = image.Labels?.[LABEL] !== undefined || used.has(image.Id);
    return tags.filter((tag) => isOurs(tag) || (alone && !isAnothers && isNew(tag))).map(removal);
  });
}

function isOurs(tag) {
  return tag.startsWith(`changeless/${runId}`);
}

function isNew(tag) {
  return tag.startsWith('changeless/') && !tagsBefore.has(tag);
}

function removal(name) {
  return `/images/${name}?force=1`;
}

async function remove(target) {
  try {
    await client.json('DELETE', target);
    return true;
  } catch {
    return false;
  }
}

async function images() {
  return client.json('GET', '/images/json?all=0');
}

function tagsOf({ RepoTags: tags }) {
  return (tags ?? []).filter((tag) => tag !== '<none>:<none>');
}

function isOfRun(labels) {
  return labels?.[LABEL]?.startsWith(runId) === true;
}

function isController({ Labels: labels }) {
  return Number(labels[ROLE] === 'controller');
}
