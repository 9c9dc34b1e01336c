import type { Size } from './size-authoring.ts';

/** Environment variables in the image's configuration. Names are those of environment variables; `CHANGELESS_…` is reserved. */
export type Settings = { [name: string]: string | number | boolean };

export type LimitsInput = {
  /** `'256m'` when left out; `'1g'` for a job's step. */
  memory?: Size;
  /** Most processes and threads at a time: 128 when left out; 512 for a job's step. */
  processes?: number;
  /** Processor cores, 0.5 for half of one; not limited when left out, but 1 for a job's step. */
  cpus?: number;
};

/** Names of secrets, or each with the name of its file: `{ dbPassword: 'password' }`. Without it a file is called as its secret. */
export type SecretsInput = readonly string[] | { [secret: string]: string };
