import type { InboxFile, InboxFiles } from '../../src/gateway/inbox-files.ts';

type Stored = { bytes: Buffer; synced: number };

/** A folder whose disk can be full or fail, and that forgets what was not synced when its power goes. Counts writes and syncs. */
export class PowerlessFiles implements InboxFiles {
  readonly stored = new Map<string, Stored>();
  writes = 0;
  syncs = 0;
  roomBytes = Infinity;
  failSync = false;
  /** Called before each sync ends. */
  onSync: () => Promise<void> = async () => {};

  async names(): Promise<string[]> {
    return [...this.stored.keys()];
  }

  async make(name: string): Promise<InboxFile> {
    if (this.roomBytes <= 0) throw full();
    const stored: Stored = { bytes: Buffer.alloc(0), synced: 0 };
    this.stored.set(name, stored);
    return {
      append: async (pieces) => {
        this.writes += 1;
        const whole = Buffer.concat(pieces);
        const fits = whole.subarray(0, Math.min(whole.length, this.roomBytes));
        this.roomBytes -= fits.length;
        stored.bytes = Buffer.concat([stored.bytes, fits]);
        if (fits.length < whole.length) throw full();
      },
      sync: async () => {
        const { length } = stored.bytes;
        await this.onSync();
        if (this.failSync) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
        this.syncs += 1;
        stored.synced = length;
      },
      close: async () => {},
    };
  }

  async size(name: string): Promise<number | undefined> {
    return this.stored.get(name)?.bytes.length;
  }

  async read(name: string, from: number, length: number): Promise<Buffer> {
    return this.stored.get(name)?.bytes.subarray(from, from + length) ?? Buffer.alloc(0);
  }

  async rename(from: string, to: string): Promise<void> {
    const stored = this.stored.get(from);
    if (!stored) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
    this.stored.delete(from);
    this.stored.set(to, stored);
  }

  async remove(name: string): Promise<void> {
    this.stored.delete(name);
  }

  losePower(): void {
    for (const stored of this.stored.values()) stored.bytes = stored.bytes.subarray(0, stored.synced);
  }
}

const full = (): Error => Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
