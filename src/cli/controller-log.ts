import type { Engine, LogLine } from '../engine/engine.ts';
import type { RecordedEvent } from '../events.ts';

/** A line of a controller's output as an event; undefined for anything else it may have said. */
export function parseEvent(line: string): RecordedEvent | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
      ? (value as RecordedEvent)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The last lines a controller wrote; none when it is gone. */
export async function lastOfLog(engine: Engine, architecture: string, name: string): Promise<string[]> {
  const lines: string[] = [];
  try {
    for await (const line of engine.logs(architecture, name, { follow: false, tail: 200 })) lines.push(line.line);
  } catch {
    return lines;
  }
  return lines;
}

/** The last of these events in a controller's log; undefined when it said none of them lately, or is gone. */
export async function lastEvent(
  engine: Engine,
  { architecture, name }: { architecture: string; name: string },
  types: ReadonlySet<string>,
): Promise<RecordedEvent | undefined> {
  const events = (await lastOfLog(engine, architecture, name)).map(parseEvent);
  return events.findLast((event) => event !== undefined && types.has(event.type));
}

/** The last line a controller wrote, as it stands in its log. */
export async function lastLine(engine: Engine, architecture: string, name: string): Promise<LogLine | undefined> {
  let last: LogLine | undefined;
  for await (const line of engine.logs(architecture, name, { follow: false, tail: 1 })) last = line;
  return last;
}

/**
 * Lines already seen, when a log is opened again from the last one's time: its line, and others of that very moment,
 * come a second time.
 */
export class SeenLines {
  #at = '';
  readonly #texts = new Set<string>();

  get since(): string | undefined {
    return this.#at === '' ? undefined : this.#at;
  }

  /** Whether the line is new; it is not the next time. */
  admit({ at, line }: LogLine): boolean {
    if (at < this.#at) return false;
    if (at > this.#at) {
      this.#at = at;
      this.#texts.clear();
    }
    if (this.#texts.has(line)) return false;
    this.#texts.add(line);
    return true;
  }
}
