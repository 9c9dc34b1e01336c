/** How a job is started, and the parameters it takes with what they are when nobody says. */
export type JobFacts = {
  on: { push?: { branches?: readonly string[]; paths?: readonly string[] }; schedule?: readonly string[]; after?: readonly string[] };
  parameters: Readonly<Record<string, string>>;
};

/**
 * What is told of a release where there is no engine: its controller writes it down beside its rollout. `apps`: their addresses.
 */
export type ReleaseFacts = {
  architecture: string;
  jobs: Readonly<Record<string, JobFacts>>;
  apps: Readonly<Record<string, readonly string[]>>;
};
