import type { Secret } from '../secret.ts';

/**
 * A secret as an instance gets it: `file` in `secretsPath`, which the user of its image may read and nobody may write.
 * `sealed`: the value of that version, encrypted, as the repository has it.
 */
export type SecretDelivery = { file: string; secret: string; version: number; sealed: string };

/** By file. */
export type SecretValues = Readonly<Record<string, Secret>>;

export type Limits = { memoryBytes: number; processes: number; cpus?: number };

export type LogLine = { at: string; stream: 'stdout' | 'stderr'; line: string };

export type LogOptions = { follow: boolean; tail?: number; signal?: AbortSignal; since?: string };
