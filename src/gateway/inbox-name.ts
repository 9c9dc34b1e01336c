/**
 * A file is `<made at>-<random>.inbox` while somebody may append to it, and `.closed` afterwards; the ledger knows it by what stands
 * before the dot. Sorted, names are in the order in which the files were made.
 */
export type InboxName = { file: string; isClosed: boolean };

const pattern = /^(\d{15}-[0-9a-z]{8})\.(inbox|closed)$/;

export const openName = (file: string): string => `${file}.inbox`;

export const closedName = (file: string): string => `${file}.closed`;

/** Undefined for what is no file of an inbox. */
export function parseInboxName(name: string): InboxName | undefined {
  const [, file, ending] = pattern.exec(name) ?? [];
  return file === undefined ? undefined : { file, isClosed: ending === 'closed' };
}

export type NameSource = { clock: () => Date; random: (characters: number) => string };

/** Each later than the one before, also when the clock was set back. */
export function inboxNames({ clock, random }: NameSource): () => string {
  let last = 0;
  return () => {
    last = Math.max(last + 1, clock().getTime());
    return `${String(last).padStart(15, '0')}-${random(8)}`;
  };
}
