import type { Problem } from '../problem.ts';

export const notRunning = (architecture: string): Problem => ({
  code: 'NOT_RUNNING',
  what: `no release of ${architecture} runs on this engine`,
  next: 'changeless up',
});
