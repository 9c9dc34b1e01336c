import { short, type ReleaseId } from '../digest.ts';
import type { Claim, Quarantine, RolloutRecord } from '../ledger/ledger.ts';
import type { Problem } from '../problem.ts';
import type { Manifest } from '../release/manifest.ts';
import type { Unjudged } from './unjudged.ts';

/** Why a controller does not begin, for whoever asked; nothing where another simply is in charge. */
export function refusal(manifest: Manifest, aside: Exclude<Claim, { state: 'yours' }> | Unjudged): Problem | undefined {
  if (aside.state === 'held') return heldBy(aside.holder);
  if (aside.state === 'quarantined') return quarantined(manifest.release, aside.quarantine);
  return aside.state === 'unjudged' ? unjudgedBeside(manifest, aside) : undefined;
}

/** ROLLOUT_HELD. */
export const heldBy = (holder: RolloutRecord): Problem => ({
  code: 'ROLLOUT_HELD',
  what: `release ${short(holder.release)} is being rolled out since ${holder.startedAt}`,
  safe: 'that rollout goes on; nothing was changed',
  next: 'changeless status, and again when it has ended',
});

/** RELEASE_QUARANTINED. */
export const quarantined = (release: ReleaseId, { why, by }: Quarantine): Problem => ({
  code: 'RELEASE_QUARANTINED',
  what: `release ${short(release)} is in quarantine`,
  why:
    why === 'failed'
      ? `it failed here at ${by.endedAt ?? by.startedAt}${by.problem === undefined ? '' : `: ${by.problem.what}`}`
      : `it was rolled back at ${by.endedAt ?? by.startedAt}${by.release === release ? '' : `, to release ${short(by.release)}`}`,
  safe: 'nothing was changed',
  next: 'commit a correction; or, when the reason lay elsewhere: changeless up --release-anyway',
});

/** Why a release was left that was live, when somebody asked for it. */
export const rolledBack = ({ release }: Manifest, before: ReleaseId): Problem => ({
  code: 'ROLLED_BACK',
  what: `release ${short(release)} was rolled back`,
  safe: `release ${short(before)} serves again`,
  next: 'commit a correction; or changeless up --release-anyway',
});

export const nothingStandsBy = ({ release }: Manifest): Problem => ({
  code: 'REQUEST_REFUSED',
  what: `nothing stands by beside release ${short(release)} any more`,
  safe: 'it serves on; nothing was changed',
  next: 'changeless rollback    runs the release before it',
});

export const nothingToDo = (request: string): Problem => ({
  code: 'REQUEST_REFUSED',
  what: `nothing can be done just now about the request ${request}`,
  safe: 'nothing was changed',
  next: 'changeless status',
});

const unjudgedBeside = ({ release }: Manifest, { other }: Unjudged): Problem => ({
  code: 'TWO_CONTROLLERS',
  what: `controllers of the releases ${short(release)} and ${short(other.release)} run, and neither knows which is in charge`,
  why: 'the ledger is empty, so it was lost',
  safe: 'neither changes anything; what serves serves on',
  next: `remove the container of one of the two (${other.name} is the other's): the one that is left takes over; or changeless down and up`,
});
