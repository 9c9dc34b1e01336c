/** How time is waited for: the real one, or one that a test lets pass. */
export type Timers = {
  /** Calls `work` once, after `ms`; the function it gives calls that off. */
  after(ms: number, work: () => void): () => void;
};

export const realTimers: Timers = {
  after(ms, work) {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
};
