import type { Asked } from '../asked.ts';
import type { CommitId, ReleaseId } from '../digest.ts';
import type { AcceptedRun } from '../job-run.ts';
import type { RecordedEvent, RolloutOutcome, UnitName } from '../events.ts';
import type { Problem } from '../problem.ts';
import type { BranchHeads } from './branch-heads.ts';
import type { ChannelPlaces } from './channel-places.ts';
import type { InboxBatch, NewDelivery, RunsOfDelivery, TakenDelivery } from './delivery.ts';
import type { JobRuns } from './job-runs.ts';

/** One rollout of one release. `token` grows with every rollout: the highest one that has not failed is in charge. */
export type RolloutRecord = {
  token: number;
  release: ReleaseId;
  commit: CommitId | 'uncommitted';
  environment: string;
  /** Engine id of the controller container that carries it out. */
  controller: string;
  startedAt: string;
  endedAt?: string;
  outcome?: RolloutOutcome;
  problem?: Problem;
  asked?: Asked;
  /** The release that was live when it began. */
  replaced?: ReleaseId;
  /** What of it stayed as it was, because it failed. */
  held?: readonly UnitName[];
  /** Why it is being left for the release before, though it was live. */
  goingBack?: Problem;
  /** What was decided of it when it was held for a look. */
  decision?: HoldDecision;
};

export type HoldDecision = 'let-live' | 'drop';

/** Why a release is not deployed again by itself: `by` is the rollout that failed, or that went back from it. */
export type Quarantine = { why: 'failed' | 'rolled-back'; by: RolloutRecord };

/** How a rollout ended. */
export type RolloutClose = { outcome: RolloutOutcome; problem?: Problem; held?: readonly UnitName[] };

/**
 * `yours`: go on with (or begin) this rollout. `standby`: another controller is in charge. `held`: a younger rollout is under way;
 * `waiting`: the same, and this one comes next.
 * `over`: this controller's rollout has failed or was superseded; it never acts again. `quarantined`: nothing begins, for the
 * release failed here or was rolled back. `from`: the release that is live meanwhile.
 */
export type Claim =
  | { state: 'yours'; token: number; resumed: boolean; outcome?: RolloutOutcome; from?: ReleaseId }
  | { state: 'standby'; holder: RolloutRecord }
  | { state: 'held'; holder: RolloutRecord }
  | { state: 'waiting'; holder: RolloutRecord }
  | { state: 'over'; record: RolloutRecord }
  | { state: 'quarantined'; quarantine: Quarantine };

/**
 * The record and the lease. Appending is durable before it resolves. Written by controllers only.
 * Losing it loses history, never the live architecture.
 */
export interface Ledger {
  readonly runs: JobRuns;
  readonly channels: ChannelPlaces;
  readonly heads: BranchHeads;
  /**
   * A controller asks for its rollout: begins it when the container is new here, resumes it when it is in charge.
   * A rollout under way whose holder has renewed its lease within `leaseMs` holds it against newcomers. One that was `asked`
   * for by `up` does not begin with a release in quarantine. One that `waits` is not held but has its turn next, until a newer
   * one comes: the latest wins, and who waited before it is recorded as superseded. One that `yields` holds nobody. Whoever was held, or
   * found itself in quarantine, is told the same for ever.
   */
  claim(request: {
    release: ReleaseId;
    commit: CommitId | 'uncommitted';
    environment: string;
    controller: string;
    leaseMs: number;
    asked?: Asked;
    waits?: boolean;
    /** Whether a newer rollout may take over from it while it is under way, rather than be held or wait. */
    yields?: boolean;
  }): Promise<Claim>;
  /** Says that the holder lives. False when the token is not in charge: stop acting. */
  renew(token: number): Promise<boolean>;
  /** Whether `token` may still act: checked before each effect. */
  mayAct(token: number): Promise<boolean>;
  /** Ends the rollout, once: false when it has another outcome already, which stays (it was superseded meanwhile). */
  end(token: number, close: RolloutClose): Promise<boolean>;
  /** Records what becomes of a rollout that is held; the first decision stays. False when the token is not in charge, or has ended. */
  decide(token: number, decision: HoldDecision): Promise<boolean>;
  /** Records that the release that is live is left for the one before. False when the token is not in charge, or is not live. */
  goBack(token: number, why: Problem): Promise<boolean>;
  /**
   * Ends what `goBack` began. `failed`: the one before serves again and its rollout is in charge, this one has failed; `live`: it
   * could not be, and this one stays.
   */
  wentBack(token: number, outcome: 'live' | 'failed'): Promise<boolean>;
  /** Adds to what of a live rollout stays as it was. False when the token is not in charge, or is not live. */
  holdBack(token: number, held: readonly UnitName[], why: Problem): Promise<boolean>;
  /**
   * Records of containers that they are to end, before anybody tells them: from then on nobody counts on one of them, for a call that was
   * made may take effect long after. False when the token is not in charge: tell them nothing.
   */
  letGo(token: number, containers: readonly string[]): Promise<boolean>;
  /** Containers that were let go within the last day, and may be there still. */
  leaving(): Promise<ReadonlySet<string>>;
  /** In this order, all or none. */
  append(events: readonly RecordedEvent[]): Promise<void>;
  /** Newest first. */
  rollouts(limit: number): Promise<RolloutRecord[]>;
  /** Newest first; when a release is given, those that name it and those said while its rollout was the one in charge. */
  events(filter: { release?: ReleaseId; type?: RecordedEvent['type']; limit: number }): Promise<RecordedEvent[]>;
  /**
   * Takes a batch of the inbox over, in order, and notes how far its file was taken, all or nothing. A delivery whose source sent that id
   * or that very body before is passed over. Gives what is new, or undefined when the token is not in charge or the batch does not begin
   * where the file was taken to: then it changes nothing. The runs that `runsOf` says are accepted with the delivery, or not at all.
   */
  takeDeliveries(token: number, batch: InboxBatch, runsOf?: RunsOfDelivery): Promise<readonly NewDelivery[] | undefined>;
  /**
   * Accepts what came due since this was asked last, up to now, and notes that, all or nothing; the first time nothing has come due. Gives
   * what is new. Nothing when the token is not in charge.
   */
  takeDue(token: number, dueSince: (since: Date, until: Date) => readonly AcceptedRun[]): Promise<readonly AcceptedRun[]>;
  /** How far each file of the inbox was taken, by its name. */
  inboxTaken(): Promise<ReadonlyMap<string, number>>;
  /** Newest first, or from the one after `after` on, oldest first. */
  deliveries(range: { limit: number; after?: number }): Promise<TakenDelivery[]>;
  /** The bytes that came; undefined when there is no delivery of that number. */
  deliveryBody(number: number): Promise<Uint8Array | undefined>;
  /** Number of the first entry that is not what was written after the one before; undefined when all are. */
  verifyChain(): Promise<number | undefined>;
  close(): Promise<void>;
}
