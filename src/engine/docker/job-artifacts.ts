import path from 'node:path';
import type { JobStepName } from '../job-steps.ts';
import { bodyOf, type DockerClient } from './client.ts';
import { hasStatus, Refusal } from './failure.ts';

type Copied = { from: string; fromStep: JobStepName['step']; to: string; artifact: string };

/** Copies a file or folder below `/work` from one container to another, neither of which need run, as it is: owners and modes, too. */
export async function copyArtifact(client: DockerClient, { from, fromStep, to, artifact }: Copied): Promise<void> {
  const place = path.posix.normalize(artifact);
  const archive = await archiveOf(client, from, place);
  if (archive === undefined) {
    throw new Refusal({
      code: 'ARTIFACT_MISSING',
      what: `step ${fromStep} left no ${artifact} behind`,
      next: 'make it there, or take it out of its artifacts in architecture.ts',
    });
  }
  const renamed = inFolder(archive, path.posix.dirname(place));
  await client.bytes({ method: 'PUT', path: `/containers/${to}/archive`, query: { path: '/work' }, tar: renamed, long: true });
}

async function archiveOf(client: DockerClient, container: string, place: string): Promise<AsyncIterable<Buffer> | undefined> {
  try {
    const query = { path: path.posix.join('/work', place) };
    const answer = await client.stream({ path: `/containers/${container}/archive`, query, long: true });
    return bodyOf(answer) as AsyncIterable<Buffer>;
  } catch (error) {
    if (hasStatus(error, 404)) return undefined;
    throw error;
  }
}

/** The engine names entries from the copied thing on; it wants the folders they are put into to be there, or in the archive. */
async function* inFolder(archive: AsyncIterable<Buffer>, folder: string): AsyncGenerator<Buffer> {
  const { default: tar } = await import('tar-stream');
  const renamed = tar.pack();
  const pumped = (async () => {
    const reader = tar.extract();
    const fed = feed(archive, reader);
    for (const parent of parentsOf(folder)) renamed.entry({ name: `${parent}/`, type: 'directory', mode: 0o755 });
    for await (const entry of reader) {
      const { pax: _, ...header } = entry.header;
      const linkname = header.type === 'link' && header.linkname ? path.posix.join(folder, header.linkname) : header.linkname;
      const into = renamed.entry({ ...header, name: path.posix.join(folder, header.name), ...(linkname && { linkname }) });
      for await (const chunk of entry) if (!into.write(chunk)) await drained(into);
      if (header.type === 'file') into.end(Buffer.alloc(0));
    }
    await fed;
    renamed.finalize();
  })();
  pumped.catch((error: Error) => renamed.destroy(error));
  yield* renamed as AsyncIterable<Buffer>;
  await pumped;
}

const drained = (sink: NodeJS.EventEmitter): Promise<unknown> => new Promise((resolve) => sink.once('drain', resolve));

async function feed(archive: AsyncIterable<Buffer>, reader: NodeJS.WritableStream & { destroy(error: Error): unknown }): Promise<void> {
  try {
    for await (const chunk of archive) if (!reader.write(chunk)) await drained(reader);
    reader.end();
  } catch (error) {
    reader.destroy(error as Error);
    throw error;
  }
}

function parentsOf(folder: string): string[] {
  const parts = folder.split('/').filter((part) => part !== '' && part !== '.');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}
