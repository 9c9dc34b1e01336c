// debian:bookworm-slim from Debian's packages: the same packages give the same bytes, so the same image id anywhere.
import path from 'node:path';
import { ensureProgram } from './debian.mjs';
import { fileDigest, imageConfig, loadImage } from './image-archive.mjs';
import { mustRun } from './processes.mjs';

/** The one time that may appear in the images made here: 1 January 2026. */
export const fixedTime = { text: '2026-01-01T00:00:00Z', epochSeconds: 1_767_225_600 };

/** What this machine's processor is called by Debian and by the engine. */
export const debianArchitecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

// Debian's own slim images leave these out by the same dpkg rules, which stay in the image and so hold for what is installed on it.
const LEFT_OUT = ['doc/*', 'man/*', 'info/*', 'groff/*', 'lintian/*', 'linda/*', 'locale/*'];
const KEPT = ['doc/*/copyright', 'locale/locale.alias'];

// What mmdebstrap copies from this machine or writes while it works.
const OF_THIS_MACHINE = [
  'etc/resolv.conf',
  'etc/hostname',
  'var/cache/ldconfig/aux-cache',
  'var/cache/debconf/*-old',
  'var/lib/dpkg/*-old',
];

/** Makes the image and loads it under `name`; gives its id. `folder` is for what is only needed meanwhile. */
export async function makeDebianImage(client, name, folder) {
  await ensureProgram({ program: 'mmdebstrap', packages: ['mmdebstrap', 'debian-archive-keyring'], purpose: `to make ${name}` });
  const file = path.join(folder, 'debian.tar');
  await mustRun(debootstrapCommand(file), {
    environment: { ...process.env, SOURCE_DATE_EPOCH: String(fixedTime.epochSeconds), TMPDIR: folder, LC_ALL: 'C' },
  });
  const diffId = await fileDigest(file);
  const config = imageConfig({
    architecture: debianArchitecture,
    command: ['bash'],
    created: fixedTime.text,
    diffIds: [diffId],
    history: ['mmdebstrap --variant=minbase bookworm'],
  });
  return loadImage(client, { name, config, layers: [{ diffId, file }] });
}

// usr-is-merged instead of usrmerge keeps the whole of perl out of the image, as in Debian's own.
function debootstrapCommand(file) {
  return [
    'mmdebstrap',
    '--quiet',
    '--variant=minbase',
    `--architectures=${debianArchitecture}`,
    '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr',
    '--include=usr-is-merged',
    '--dpkgopt=force-unsafe-io',
    ...LEFT_OUT.map((pattern) => `--dpkgopt=path-exclude=/usr/share/${pattern}`),
    ...KEPT.map((pattern) => `--dpkgopt=path-include=/usr/share/${pattern}`),
    `--customize-hook=cd "$1" && rm -f ${OF_THIS_MACHINE.join(' ')}`,
    'bookworm',
    file,
  ];
}
