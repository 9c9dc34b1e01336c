import type { RunsOfDelivery } from '../ledger/delivery.ts';

/** Who pushed, for people, and what the push changed, where it says so. */
export type PushBody = { author?: string; changedPaths?: readonly string[] };

/** A longer body costs the controller more memory than it has; what it says of paths is then nobody's to know. */
const longestBody = 2 * 2 ** 20;

/** GitHub names no more commits than this in one push. */
const mostCommits = 2048;

/**
 * What the body of a push tells besides its commit, in GitHub's words or in those of the gateway's own remote. Nothing of it is taken for
 * anything but a name or a path. `changedPaths` only where it is certain that these are all. Pure.
 */
export function readPushBody({ body, before }: Pick<Parameters<RunsOfDelivery>[0], 'body' | 'before'>): PushBody {
  const said = parsed(body);
  const author = authorIn(said);
  const changedPaths = before === undefined || said['forced'] === true ? undefined : pathsIn(said['commits']);
  return { ...(author !== undefined && { author }), ...(changedPaths && { changedPaths }) };
}

type Members = Readonly<Record<string, unknown>>;

const isMembers = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value);

function parsed(body: Uint8Array): Members {
  if (body.length > longestBody) return {};
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    return isMembers(value) ? value : {};
  } catch {
    return {};
  }
}

function authorIn(said: Members): string | undefined {
  const head = said['head_commit'];
  const candidates = [isMembers(head) ? head['author'] : undefined, said['author'], said['pusher']];
  const names = candidates.map((person) => (isMembers(person) ? person['name'] : undefined));
  const name = names.find((each) => typeof each === 'string' && each !== '');
  // It stands in messages: one line, of people's length.
  return typeof name === 'string' ? name.replaceAll(/[\u0000-\u001f\u007f]/g, ' ').slice(0, 100) : undefined;
}

function pathsIn(commits: unknown): string[] | undefined {
  if (!Array.isArray(commits) || commits.length === 0 || commits.length >= mostCommits) return undefined;
  const lists = (commits as unknown[]).flatMap((commit) =>
    isMembers(commit) ? [commit['added'], commit['removed'], commit['modified']] : [undefined],
  );
  if (!lists.every((list) => Array.isArray(list))) return undefined;
  const paths = lists.flat() as unknown[];
  return paths.every((each) => typeof each === 'string') ? [...new Set(paths)] : undefined;
}
