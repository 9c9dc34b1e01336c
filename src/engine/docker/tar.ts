import { byCodeUnit } from '../../canonical-json.ts';
import type { FileOwner, LayerItem } from '../image.ts';

const EPOCH = new Date(0);

// A controller that starts needs it only when it makes a place; loading it costs a tenth of that start.
const tarStream = async () => (await import('tar-stream')).default;

/**
 * A tar of the items and all their parent folders: sorted, owned by root unless said, with a fixed time, so that equal contents
 * are equal bytes. Folders must be in it: Docker makes those that are missing with mode 0600.
 */
export async function treeTar(items: readonly LayerItem[]): Promise<Buffer> {
  const byPath = new Map(items.map((item) => [item.path.replace(/^\/+/, ''), item]));
  const folders = new Set([...byPath.keys()].flatMap(parentFolders));
  const implied = [...folders].filter((path) => !byPath.has(path));
  const entries: TarEntry[] = [
    ...implied.map((path) => ({ path: `${path}/`, mode: 0o755 })),
    ...[...byPath].map(([path, item]) => entryOf(path, item)),
  ];
  return tar(entries.toSorted((one, other) => byCodeUnit(one.path, other.path)));
}

function entryOf(path: string, item: LayerItem): TarEntry {
  const owned = ownerOf(item.owner);
  if ('folder' in item) return { path: `${path}/`, mode: 0o755, ...owned };
  if ('target' in item) return { path, mode: 0o777, link: item.target, ...owned };
  return { path, mode: item.mode ?? 0o644, contents: item.contents, ...owned };
}

const ownerOf = (owner: FileOwner | undefined): Pick<TarEntry, 'uid' | 'gid'> => (owner ? { uid: owner.user, gid: owner.group } : {});

/** Root's, unless `uid` and `gid` say another's. Without contents and link it is a folder. */
export type TarEntry = { path: string; mode: number; contents?: string | Uint8Array; link?: string; uid?: number; gid?: number };

/** The entries in the order given. */
export async function tar(entries: readonly TarEntry[]): Promise<Buffer> {
  const { pack } = await tarStream();
  const archive = pack();
  for (const { path, mode, contents, link, uid = 0, gid = 0 } of entries) {
    const header = { name: path, mode, mtime: EPOCH, uid, gid };
    if (link !== undefined) archive.entry({ ...header, type: 'symlink', linkname: link });
    else if (contents === undefined) archive.entry({ ...header, type: 'directory' });
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
