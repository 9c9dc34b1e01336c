/** Where a data path and the core show what they count, inside their sandbox: no client's host name leads there. */
export const metricsPort = 9_464;
