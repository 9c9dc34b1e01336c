// node:24-bookworm-slim: the Debian image and one layer with Node's binary out of its npm package.
import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { debianArchitecture, fixedTime } from './debian-image.mjs';
import { fileDigest, imageConfig, loadImage } from './image-archive.mjs';
import { SetupProblem } from './progress.mjs';
import { firstFile, tarBytes } from './tar.mjs';

// The user and group that the image on Docker Hub has.
const NODE_USER = 'node:x:1000:1000::/home/node:/bin/bash\n';
const NODE_GROUP = 'node:x:1000:\n';

/** Makes the image on top of `base` and loads it under `name`; gives its id. It has Node, and no npm. */
export async function makeNodeImage(client, { name, base, folder }) {
  const below = await client.json('GET', `/images/${base}/json`);
  if (below === undefined) throw new SetupProblem(`the image ${base} is missing, on which ${name} is made.`);
  const node = nodePackage();
  const file = path.join(folder, 'node.tar');
  const accounts = await readAccounts(client, base);
  await pipeline(Readable.from(tarBytes(layerEntries(node, accounts))), createWriteStream(file));
  const diffId = await fileDigest(file);
  const belowIds = below.RootFS.Layers;
  const config = imageConfig({
    architecture: debianArchitecture,
    command: ['node'],
    created: fixedTime.text,
    diffIds: [...belowIds, diffId],
    history: [...belowIds.map(() => 'a layer of the image below'), `node ${node.version}`],
    environment: [`NODE_VERSION=${node.version}`],
  });
  const layers = [...belowIds.map((layer) => ({ diffId: layer })), { diffId, file }];
  const id = await loadImage(client, { name, config, layers });
  await checkLayers(client, { name, belowIds });
  return id;
}

function nodePackage() {
  const require = createRequire(import.meta.url);
  const packageName = `node-linux-${process.arch}`;
  try {
    const file = require.resolve(`${packageName}/bin/node`);
    return { file, version: require(`${packageName}/package.json`).version };
  } catch {
    throw new SetupProblem(`there is no ready-made Node for ${process.platform}-${process.arch}; pull the node image yourself.`);
  }
}

function layerEntries(node, { passwd, group }) {
  const entry = (more) => ({ modifiedAt: fixedTime.epochSeconds, ...more });
  const folder = (name, more) => entry({ name: `${name}/`, mode: 0o755, type: '5', ...more });
  return [
    folder('etc'),
    entry({ name: 'etc/group', body: group }),
    entry({ name: 'etc/passwd', body: passwd }),
    folder('home'),
    folder('home/node', { owner: 1000 }),
    folder('usr'),
    folder('usr/local'),
    folder('usr/local/bin'),
    entry({ name: 'usr/local/bin/node', mode: 0o755, sizeBytes: statSync(node.file).size, body: () => createReadStream(node.file) }),
    entry({ name: 'usr/local/bin/nodejs', mode: 0o777, type: '2', link: 'node' }),
  ];
}

// A container that is created and never started lets its files be read.
async function readAccounts(client, base) {
  const body = JSON.stringify({ Image: base, Cmd: ['true'] });
  const { Id: id } = await client.json('POST', '/containers/create', { body, type: 'application/json' });
  try {
    const read = async (file, addition) => {
      const text = await readFileOf(client, id, file);
      return text.includes(`\n${addition}`) ? Buffer.from(text) : Buffer.from(text + addition);
    };
    return { passwd: await read('/etc/passwd', NODE_USER), group: await read('/etc/group', NODE_GROUP) };
  } finally {
    await client.json('DELETE', `/containers/${id}?force=1`);
  }
}

async function readFileOf(client, id, file) {
  const response = await client.request('GET', `/containers/${id}/archive?path=${file}`);
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  return firstFile(Buffer.concat(chunks)).toString('utf8');
}

async function checkLayers(client, { name, belowIds }) {
  const made = await client.json('GET', `/images/${name}/json`);
  const shared = belowIds.every((layer, index) => made?.RootFS.Layers[index] === layer);
  if (!shared) throw new SetupProblem(`${name} does not share the layers of the image it was made on.`);
}
