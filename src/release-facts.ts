/** A job: how it is started, and the parameters it takes with what they are when nobody says. */
export type JobFacts = {
  job: string;
  on: { push?: { branches?: readonly string[]; paths?: readonly string[] }; schedule?: readonly string[]; after?: readonly string[] };
  parameters: Readonly<Record<string, string>>;
};

/**
 * What is told of a release where there is no engine: its controller writes it down beside its rollout. `apps`: their addresses.
 */
export type ReleaseFacts = {
  architecture: string;
  jobs: readonly JobFacts[];
  apps: Readonly<Record<string, readonly string[]>>;
};
