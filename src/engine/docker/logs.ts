import type { LogLine, LogOptions } from '../engine.ts';
import { bodyOf, type DockerClient } from './client.ts';
import { EngineFailure } from './failure.ts';
import { frames, timedLines } from './log-stream.ts';

/**
 * A container's log, or one stream of it; nothing when it is gone. Ends with the container, when aborted, or when a followed engine
 * goes away. `tail` counts the lines of both streams.
 */
export async function* readLog(
  client: DockerClient,
  container: string,
  options: LogOptions & { only?: LogLine['stream'] },
): AsyncGenerator<LogLine> {
  const { follow, tail, since, signal, only } = options;
  if (signal?.aborted) return;
  try {
    const streams = { stdout: only !== 'stderr', stderr: only !== 'stdout' };
    const query = { follow, ...streams, timestamps: true, tail, since: since === undefined ? undefined : unixTime(since) };
    const path = `/containers/${container}/logs`;
    const response = await client.stream({ path, query, long: follow, ...(signal && { signal }) });
    yield* timedLines(frames(bodyOf(response)));
  } catch (error) {
    if (signal?.aborted || isOver(error, follow)) return;
    throw error;
  }
}

/** Both streams whole, without times, of a container that has ended. */
export async function readOutput(client: DockerClient, container: string): Promise<{ stdout: string; stderr: string }> {
  const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const body = await client.stream({ path: `/containers/${container}/logs`, query: { stdout: true, stderr: true } });
  for await (const { stream, payload } of frames(bodyOf(body))) output[stream].push(payload);
  return { stdout: Buffer.concat(output.stdout).toString(), stderr: Buffer.concat(output.stderr).toString() };
}

/** ISO 8601, to the nanosecond, as the engine wants it: seconds and a fraction. */
export function unixTime(iso: string): string {
  const seconds = Math.floor(Date.parse(iso) / 1000);
  const fraction = /\.(\d{1,9})/.exec(iso)?.[1] ?? '';
  return `${seconds}.${fraction.padEnd(9, '0')}`;
}

function isOver(error: unknown, follow: boolean): boolean {
  if (!(error instanceof EngineFailure)) return false;
  return error.status === 404 || error.status === 409 || (follow && error.code === 'ECONNRESET');
}
