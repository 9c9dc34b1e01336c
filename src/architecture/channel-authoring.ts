/**
 * Is told when a release is live, failed or was rolled back, an app is held back, an instance is lost, an alarm fires or comes to rest,
 * and when a job starts, fails or is fixed: a POST of JSON with `text`, as Slack takes it, and `event`. Messages come in order, and are
 * sent until one is taken; the header `webhook-id` tells one that comes a second time.
 */
export type ChannelInput = {
  /** An address, or the name of the secret whose value it is: Slack's are to be kept secret. */
  webhook: string | { secret: string };
  /** The name of a secret with a key: then messages are signed, as Standard Webhooks say (standardwebhooks.com). */
  secret?: string;
};

/** What `github` makes of `GithubInput`. */
export type ForgeInput = GithubInput & { kind: 'github' };

/**
 * GitHub's repository of the architecture. Commits get statuses there, of rollouts (`changeless/<environment>`) and of jobs
 * (`changeless/<job>`), and pushes are found whose webhook never came.
 */
export type GithubInput = {
  /** `'owner/name'`. */
  repository: string;
  /**
   * The name of the secret with a token. It has to read contents and write commit statuses; where it may read webhooks, too, their
   * deliveries are looked at.
   */
  token: string;
  /** `https://api.github.com` when left out; that of a server of one's own is `https://<host>/api/v3`. */
  api?: string;
};

/** A repository at GitHub, or at a GitHub Enterprise Server. */
export const github = (input: GithubInput): ForgeInput => ({ kind: 'github', ...input });
