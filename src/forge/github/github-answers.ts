import { isRecord } from '../../architecture/key-path.ts';
import { isBranchName } from '../../architecture/branch-name.ts';
import { isCommit } from '../../gateway/git-names.ts';
import { isOf, readPush } from '../../gateway/push.ts';
import type { FailedPush } from '../forge.ts';

// What GitHub answers, as far as it is used. What is not as documented is passed over; no name is used that git could not have made.

const records = (items: readonly unknown[]): Record<string, unknown>[] => items.filter(isRecord);

/** Branches by name, and their newest commits. */
export function headsIn(items: readonly unknown[]): ReadonlyMap<string, string> {
  return new Map(
    records(items).flatMap(({ name, commit }): [string, string][] => {
      const sha = isRecord(commit) ? commit['sha'] : undefined;
      return typeof name === 'string' && isBranchName(name) && isCommit(sha) ? [[name, sha]] : [];
    }),
  );
}

/** The ids of webhooks that send pushes to an address of that host and path. */
export function hooksIn(items: readonly unknown[], { host, path }: { host: string; path: string }): number[] {
  return records(items).flatMap(({ id, events, config }) => {
    const url = isRecord(config) && typeof config['url'] === 'string' ? URL.parse(config['url']) : null;
    const sendsPushes = Array.isArray(events) && (events.includes('push') || events.includes('*'));
    return typeof id === 'number' && sendsPushes && url?.hostname === host && url.pathname === path ? [id] : [];
  });
}

/** One try to deliver a webhook. `guid`: the same for all tries of one. */
export type Attempt = { id: number; guid: string; at: string; isTaken: boolean };

/** The tries to deliver pushes. */
export const attemptsIn = (items: readonly unknown[]): Attempt[] =>
  records(items).flatMap(({ id, guid, delivered_at: at, event, status_code: status }) => {
    if (event !== 'push' || typeof id !== 'number' || typeof guid !== 'string') return [];
    if (typeof at !== 'string' || Number.isNaN(Date.parse(at))) return [];
    return [{ id, guid, at: new Date(at).toISOString(), isTaken: typeof status === 'number' && status >= 200 && status < 300 }];
  });

/** The first try of each that was never taken, oldest first. */
export function failedAttempts(attempts: readonly Attempt[]): Attempt[] {
  const taken = new Set(attempts.filter(({ isTaken }) => isTaken).map(({ guid }) => guid));
  const oldestFirst = attempts.toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at) || one.id - other.id);
  const first = new Map(oldestFirst.toReversed().map((attempt) => [attempt.guid, attempt]));
  return oldestFirst.filter((attempt) => !taken.has(attempt.guid) && first.get(attempt.guid) === attempt);
}

/** Who pushed what is in a body; one that is longer is done without. */
const longestBody = 256 * 1024;

/** The push that a delivery held; undefined for one that is of another repository, or that deleted a branch. */
export function pushIn(delivery: unknown, { repository, at }: { repository: string; at: string }): FailedPush | undefined {
  const request = isRecord(delivery) ? delivery['request'] : undefined;
  const payload = isRecord(request) ? request['payload'] : undefined;
  if (!isRecord(payload)) return undefined;
  const of = payload['repository'];
  const push = readPush({ ...payload, repository: isRecord(of) ? of['full_name'] : undefined });
  if (!push.ok || !isOf(repository, push.value.repository)) return undefined;
  const { branch, before, after } = push.value;
  if (branch === undefined || after === undefined) return undefined;
  const body = JSON.stringify(payload);
  return { branch, ...(before !== undefined && { before }), after, at, ...(body.length <= longestBody && { body }) };
}
