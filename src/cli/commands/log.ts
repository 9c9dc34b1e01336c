import { short, type ImageId } from '../../digest.ts';
import type { Engine } from '../../engine/engine.ts';
import type { RolloutRecord } from '../../ledger/ledger.ts';
import { done, failed, type Result } from '../../result.ts';
import { pageOf, rollout } from '../../api/schemas.ts';
import { askPages, serverOf, type Server } from '../server/server.ts';
import { askRollouts } from '../ask-ledger.ts';
import { answer, answerJson, type CommandResult, type Session } from '../command.ts';
import { numberOption } from '../number-option.ts';
import { releaseImages } from '../releases.ts';
import { paintFor } from '../report/problem.ts';
import { duration } from '../report/duration.ts';
import { commitWords } from '../report/words.ts';
import { subjectOf } from '../subject.ts';

type Told = Pick<RolloutRecord, 'commit' | 'environment' | 'outcome' | 'startedAt' | 'endedAt' | 'token'> & { release: string };

/** `log`: rollouts, newest first. */
export async function run(session: Session): CommandResult {
  const limit = numberOption(session.input, 'limit', 20);
  if (!limit.ok) return limit;
  const server = await serverOf(session);
  if (!server.ok) return server;
  const told = server.value ? await askServer(server.value, limit.value) : await askEngine(session, limit.value);
  if (!told.ok) return told;
  const { where, rollouts } = told.value;
  if (session.input.json) answerJson(session, rollouts.map(entry));
  else answer(session, rollouts.length === 0 ? `no release ${where}` : rollouts.map((record) => line(session, record)).join('\n'));
  return done(0);
}

/** `where`: what is said when there are none. */
type Log = { where: string; rollouts: readonly Told[] };

async function askEngine(session: Session, limit: number): Promise<Result<Log>> {
  const subject = await subjectOf(session);
  if (!subject.ok) return subject;
  const { engine, architecture } = subject.value;
  const image = await imageToAsk(engine, architecture);
  if (!image.ok) return image;
  const rollouts = image.value === undefined ? done([]) : await askRollouts({ engine, architecture, image: image.value }, limit);
  return rollouts.ok ? done({ where: `of ${architecture} has run on this engine`, rollouts: rollouts.value }) : rollouts;
}

async function askServer(server: Server, limit: number): Promise<Result<Log>> {
  const page = await askPages(server, '/api/v1/rollouts', { page: pageOf(rollout), limit });
  if (!page.ok) return page;
  const rollouts = page.value.map(({ number, release, commit, environment, outcome, startedAt, endedAt }) => ({
    release,
    commit: commit as RolloutRecord['commit'],
    environment,
    startedAt,
    token: number,
    ...(outcome !== null && { outcome }),
    ...(endedAt !== null && { endedAt }),
  }));
  return done({ where: `has run behind ${server.origin.origin}`, rollouts });
}

/** Any release image can read the ledger, best the one that writes it; undefined where nothing was ever run. */
export async function imageToAsk(engine: Engine, architecture: string): Promise<Result<ImageId | undefined>> {
  const observed = await engine.observe(architecture);
  if (!observed.ok) return observed;
  const { controllers, volumes } = observed.value;
  const youngest = controllers.toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1))[0];
  if (youngest !== undefined) return done(youngest.image);
  if (!volumes.some(({ name }) => name === 'ledger')) return done(undefined);
  const [image] = await releaseImages(engine, architecture);
  if (image !== undefined) return done(image.image);
  return failed({
    code: 'NOT_RUNNING',
    what: `there is a ledger of ${architecture}, but no release image that can read it`,
    next: 'changeless build    makes one',
  });
}

const entry = ({ release, commit, environment, outcome, startedAt, endedAt, token }: Told) => ({
  release,
  commit,
  environment,
  outcome: outcome ?? null,
  startedAt,
  endedAt: endedAt ?? null,
  token,
});

function line(session: Session, { release, commit, outcome, startedAt, endedAt, environment }: Told): string {
  const paint = paintFor(session.world.stdout.isTerminal, session.world.env);
  const word = (outcome ?? 'under way').padEnd(10);
  const tone = outcome === 'live' ? 'green' : outcome === 'failed' ? 'red' : 'yellow';
  const took = endedAt === undefined ? '' : `  ${duration(Date.parse(endedAt) - Date.parse(startedAt))}`;
  return `${startedAt.slice(0, 19).replace('T', ' ')}  ${short(release)}  ${paint(tone, word)} ${commitWords(commit)}${environment === 'local' ? '' : `  ${environment}`}${took}`;
}
