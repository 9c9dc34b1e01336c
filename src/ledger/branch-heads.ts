/** The last push to a branch that was taken. `after`: left out where it deleted the branch. */
export type NewestPush = { number: number; after?: string };

/** What is known of the branches of repositories elsewhere. Names of repositories are the same in upper and lower case. */
export interface BranchHeads {
  /** Each branch's head as it was dealt with last; undefined for a repository that nobody has looked at. */
  noted(repository: string): Promise<ReadonlyMap<string, string> | undefined>;
  /** Notes heads; those without one are forgotten. False when the token is not in charge. */
  note(token: number, repository: string, heads: ReadonlyMap<string, string | undefined>): Promise<boolean>;
  /** Undefined when none to the branch was taken. */
  newestPush(repository: string, branch: string): Promise<NewestPush | undefined>;
}
