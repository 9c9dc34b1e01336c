/** Secret → the file it is in. */
export type UsedSecrets = Readonly<Record<string, string>>;

export type ResourceLimits = { memoryBytes: number; processes: number; cpus?: number };
