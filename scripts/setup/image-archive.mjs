// An image as `docker save` writes it, with nothing in it that depends on when or where it was made.
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { SetupProblem } from './progress.mjs';
import { tarBytes } from './tar.mjs';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The image configuration whose digest is the image's id. `diffIds` are the layers, the lowest first. */
export function imageConfig({ architecture, command, diffIds, created, history, environment = [] }) {
  return Buffer.from(
    JSON.stringify({
      architecture,
      config: { Cmd: command, Env: [`PATH=${PATH}`, ...environment] },
      created,
      history: history.map((created_by) => ({ created, created_by })),
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: diffIds },
    }),
  );
}

/**
 * Loads an image and gives its id. `layers` are `{ diffId, file? }`: a layer the engine already has needs no file.
 * Loading the same image again changes nothing.
 */
export async function loadImage(client, { name, config, layers }) {
  const id = sha256(config);
  const layerName = ({ diffId }) => `${diffId.slice('sha256:'.length)}/layer.tar`;
  const manifest = [{ Config: `${id}.json`, RepoTags: [name], Layers: layers.map(layerName) }];
  const entries = [
    { name: `${id}.json`, body: config },
    { name: 'manifest.json', body: Buffer.from(JSON.stringify(manifest)) },
    ...layers.filter(({ file }) => file).map((layer) => fileEntry(layerName(layer), layer.file)),
  ];
  const body = Readable.from(tarBytes(entries));
  for await (const line of client.lines('POST', '/images/load?quiet=1', { body })) {
    if (line.error) throw new SetupProblem(`the engine refused the image ${name}: ${line.error}`);
  }
  return `sha256:${id}`;
}

/** `sha256:<hex>` of a file, read as a stream. */
export async function fileDigest(file) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}

function fileEntry(name, file) {
  return { name, sizeBytes: statSync(file).size, body: () => createReadStream(file) };
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}
