import type { LogLine } from '../engine/engine.ts';
import type { JobStepName } from '../engine/job-steps.ts';
import type { JobEngine } from './run-hands.ts';
import { openKept, readKept, type KeptLine, type KeptLogs, type OpenLog } from './kept-log.ts';

/** So much of what a step prints is kept from its beginning, and so many lines of its end. */
export const keptLimits = { bytes: 8 * 2 ** 20, lastLines: 200 };

/** A log may name a moment again, or an earlier one, when two streams are written at once. */
const overlapMs = 1000;

export type Keeping = {
  engine: JobEngine;
  architecture: string;
  logs: KeptLogs;
  name: JobStepName;
  token: number;
  signal: AbortSignal;
  limits?: typeof keptLimits;
};

/**
 * Keeps a step's output as it is printed, from where it was kept before, and resolves at its end, or when there is more than is kept:
 * `whole` once nothing is left to be kept. To be called again otherwise: when the step has ended (`full`), or soon (`broken-off`).
 */
export async function keepLog(keeping: Keeping): Promise<'whole' | 'full' | 'broken-off'> {
  try {
    const kept = await withLog(keeping, (log) => keepOn(keeping, log));
    // Of its own file: an owner before this one may still be writing to the former.
    if (kept === 'cut before') return 'whole';
    if (keeping.signal.aborted || !(await hasEnded(keeping))) return kept === 'to the end' ? 'broken-off' : 'full';
    if (kept === 'as much as is kept') await withLog(keeping, (log) => keepEnd(keeping, log));
    return 'whole';
  } catch {
    // Broken off, by the engine or the disk: whoever looks next goes on from what is kept.
    return 'broken-off';
  }
}

/** Open only while lines are written: nothing else that may take long is waited for meanwhile. */
async function withLog<T>(keeping: Keeping, work: (log: OpenLog) => Promise<T>): Promise<T> {
  const log = await openKept(keeping.logs, { ...keeping.name, token: keeping.token });
  try {
    return await work(log);
  } finally {
    await log.close();
  }
}

type Before = { bytes: number; isCut: boolean; recent: readonly KeptLine[]; since: string | undefined };

async function keepOn(keeping: Keeping, log: OpenLog): Promise<'cut before' | 'as much as is kept' | 'to the end'> {
  const { engine, architecture, name, signal, limits = keptLimits } = keeping;
  const before = await keptBefore(keeping);
  if (before.isCut) return 'cut before';
  const known = new Set(before.recent.map(identity));
  const from = before.since === undefined ? {} : { since: before.since };
  let { bytes } = before;
  if (bytes > limits.bytes) return 'as much as is kept';
  for await (const line of engine.jobs.logs(architecture, name, { follow: true, signal, ...from })) {
    if (known.delete(identity(line))) continue;
    bytes += line.line.length + 1;
    await log.add(line);
    if (bytes > limits.bytes) return 'as much as is kept';
  }
  return 'to the end';
}

/** A step that prints more than is kept: its last lines, when it has ended. */
async function keepEnd({ engine, architecture, name, limits = keptLimits }: Keeping, log: OpenLog): Promise<void> {
  const last: LogLine[] = [];
  for await (const line of engine.jobs.logs(architecture, name, { follow: false, tail: limits.lastLines })) last.push(line);
  await log.add({ at: last[0]?.at ?? '', stream: 'stderr', line: cutWords(limits.bytes, last.length), cut: true });
  for (const line of last) await log.add(line);
}

const cutWords = (bytes: number, lines: number): string =>
  `[the step printed more than the ${Math.round(bytes / 2 ** 20)} MB that are kept of it: what came between is cut; its last ${lines} lines follow]`;

async function hasEnded({ engine, architecture, name }: Keeping): Promise<boolean> {
  const steps = await engine.jobs.list(architecture);
  const found = steps.ok ? steps.value.find(({ run, step }) => run === name.run && step === name.step) : undefined;
  return steps.ok && found?.state !== 'running';
}

const identity = ({ at, stream, line }: LogLine): string => `${at} ${stream} ${line}`;

/** `recent`: lines that may come again when the log is read on from `since`. */
async function keptBefore({ logs, name }: Keeping): Promise<Before> {
  let bytes = 0;
  let isCut = false;
  let recent: KeptLine[] = [];
  for await (const line of readKept(logs, name.run, name.step)) {
    bytes += line.line.length + 1;
    isCut ||= line.cut === true;
    recent.push(line);
    if (recent.length > 2048) recent = recent.filter(({ at }) => Date.parse(line.at) - Date.parse(at) <= overlapMs);
  }
  const last = recent.at(-1);
  const since = last === undefined ? undefined : new Date(Date.parse(last.at) - overlapMs).toISOString();
  return { bytes, isCut, recent, since };
}
