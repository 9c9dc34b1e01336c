import { byCodeUnit } from '../../canonical-json.ts';
import type { AssembleRequest, TreeFile } from '../image.ts';

const EPOCH = new Date(0);

// A controller that starts needs it only when it makes a place; loading it costs a tenth of that start.
const tarStream = async () => (await import('tar-stream')).default;

/**
 * A tar of the files and all their parent folders: sorted, owned by root, with a fixed time, so that equal contents are
 * equal bytes. Folders must be in it: Docker makes those that are missing with mode 0600.
 */
export async function treeTar(files: readonly TreeFile[], owned: AssembleRequest['folders'] = []): Promise<Buffer> {
  const byPath = new Map(files.map((file) => [file.path.replace(/^\/+/, ''), file]));
  const folders = new Set([...byPath.keys()].flatMap(parentFolders));
  const entries: TarEntry[] = [
    ...[...folders].map((path) => ({ path: `${path}/`, mode: 0o755 })),
    ...owned.map(({ path, uid }) => ({ path: `${path.replace(/^\/+/, '')}/`, mode: 0o755, uid })),
    ...[...byPath].map(([path, { contents, mode }]) => ({ path, mode: mode ?? 0o644, contents })),
  ];
  return tar(entries.toSorted((one, other) => byCodeUnit(one.path, other.path)));
}

/** Root's, unless `uid` says another's. */
export type TarEntry = { path: string; mode: number; contents?: string | Uint8Array; uid?: number };

/** The entries in the order given; one without contents is a folder. */
export async function tar(entries: readonly TarEntry[]): Promise<Buffer> {
  const { pack } = await tarStream();
  const archive = pack();
  for (const { path, mode, contents, uid = 0 } of entries) {
    const header = { name: path, mode, mtime: EPOCH, uid, gid: 0 };
    if (contents === undefined) archive.entry({ ...header, type: 'directory' });
    else archive.entry({ ...header, type: 'file' }, Buffer.from(contents));
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The first entry of an archive, when it is a file or a link: that is how the engine sends one path. */
export async function firstEntry(archive: Buffer): Promise<{ link: string } | { contents: Buffer } | undefined> {
  const { extract } = await tarStream();
  const reader = extract();
  reader.end(archive);
  for await (const entry of reader) {
    const { type, linkname } = entry.header;
    if (type === 'symlink') return { link: linkname ?? '' };
    if (type !== 'file') return undefined;
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    return { contents: Buffer.concat(chunks) };
  }
  return undefined;
}

function parentFolders(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}
