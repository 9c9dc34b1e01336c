import type { ImageId } from '../../digest.ts';
import { done, failed, type Result } from '../../result.ts';
import type { BuildFailure, BuildProgress, BuildRequest } from '../image.ts';
import { BuildTrace } from './build-trace.ts';
import { jsonLines, type DockerClient } from './client.ts';
import { EngineFailure, meaningOfText } from './failure.ts';

type BuildLine = { id?: string; aux?: unknown; error?: string };

/** Builds with the BuildKit in the engine. The context comes as a tar; no session, so no build secrets and no credentials. */
export async function build(
  client: DockerClient,
  request: BuildRequest,
  onProgress: (progress: BuildProgress) => void,
): Promise<Result<ImageId, BuildFailure>> {
  const trace = new BuildTrace(onProgress);
  let image: string | undefined;
  try {
    for await (const line of jsonLines<BuildLine>(await client.stream(buildCall(request)))) {
      if (line.error !== undefined) return failed(trace.failure(line.error));
      if (line.id === 'moby.buildkit.trace') trace.take(Buffer.from(String(line.aux), 'base64'));
      if (line.id === 'moby.image.id') image = (line.aux as { ID: string }).ID;
    }
  } catch (error) {
    request.signal?.throwIfAborted();
    if (!(error instanceof EngineFailure)) throw error;
    return failed({ ...trace.failure(error.message), noSpace: meaningOfText(error.message) === 'no-space' });
  }
  return image === undefined ? failed(trace.failure('the engine ended the build without an image')) : done(image as ImageId);
}

const buildCall = ({ context, dockerfile, target, arguments: buildargs, labels, tag, signal }: BuildRequest) => ({
  method: 'POST' as const,
  path: '/build',
  // Version 2 is BuildKit, whose build never leaves intermediate containers.
  query: { version: 2, t: tag, dockerfile, target, buildargs, labels },
  tar: context,
  long: true,
  // BuildKit ends a build whose caller has gone.
  ...(signal && { signal }),
});
