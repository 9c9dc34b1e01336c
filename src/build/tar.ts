import { pack as createPack, type Header, type Pack } from 'tar-stream';

/** Something in a tar. A link's contents are where it points. */
export type TarItem = { path: string; kind: 'file' | 'folder' | 'link'; isExecutable?: boolean; contents: Uint8Array };

/** Every item's time: what is built must not tell when. Not 0, because zip knows no year before 1980. */
const fixedTime = new Date(Date.UTC(2000, 0, 1));

/** A tar whose bytes depend on the items and their order alone. The stream fails when the items do. */
export function packTar(items: AsyncIterable<TarItem> | Iterable<TarItem>): AsyncIterable<Uint8Array> {
  const pack = createPack();
  fill(pack, items).then(
    () => pack.finalize(),
    (cause: unknown) => pack.destroy(cause instanceof Error ? cause : new Error(String(cause))),
  );
  return pack as AsyncIterable<Uint8Array>;
}

async function fill(pack: Pack, items: AsyncIterable<TarItem> | Iterable<TarItem>): Promise<void> {
  for await (const item of items) {
    await new Promise<void>((resolve, reject) => {
      pack.entry(headerOf(item), item.kind === 'file' ? item.contents : new Uint8Array(), (cause) => (cause ? reject(cause) : resolve()));
    });
  }
}

function headerOf({ path, kind, isExecutable, contents }: TarItem): Partial<Header> & Pick<Header, 'name'> {
  const shared = { name: path, mtime: fixedTime, uid: 0, gid: 0, uname: '', gname: '' };
  switch (kind) {
    case 'folder':
      return { ...shared, type: 'directory', mode: 0o755, size: 0 };
    case 'link':
      return { ...shared, type: 'symlink', mode: 0o777, size: 0, linkname: new TextDecoder().decode(contents) };
    case 'file':
      return { ...shared, type: 'file', mode: isExecutable ? 0o755 : 0o644, size: contents.length };
  }
}
