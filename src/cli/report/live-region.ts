import { stripVTControlCharacters } from 'node:util';
import type { Output } from '../world.ts';

// DEC mode 2026: the terminal shows a frame only when it is complete. Those that do not know it ignore it.
const begin = '\u001b[?2026h';
const end = '\u001b[?2026l';

/**
 * The last lines of a terminal, redrawn in place below text that stays. Each frame is one write. Lines are cut to the
 * width, so that none wraps; when the window got narrower since, those drawn before are counted as the rows they now take.
 */
export class LiveRegion {
  readonly #output: Output;
  #drawn: readonly string[] = [];

  constructor(output: Output) {
    this.#output = output;
  }

  /** `told` stays, above; `live` replaces what was live before. Writes nothing when nothing changed. */
  draw(told: readonly string[], live: readonly string[]): void {
    const width = Math.max(20, this.#output.columns);
    const lines = live.map((line) => cut(line, width - 1));
    const same = told.length === 0 && lines.length === this.#drawn.length && lines.every((line, index) => line === this.#drawn[index]);
    if (same) return;
    const up = this.#drawn.reduce((rows, line) => rows + rowsOf(line, width), 0);
    const back = up === 0 ? '' : `\u001b[${up}A`;
    const text = [...told, ...lines].map((line) => `\u001b[2K${line}\n`).join('');
    this.#output.write(`${begin}${back}\r${text}\u001b[0J${end}`);
    this.#drawn = lines;
  }
}

const rowsOf = (line: string, width: number): number => Math.max(1, Math.ceil(stripVTControlCharacters(line).length / width));

/** The first `width` visible characters, colours kept and closed. */
export function cut(line: string, width: number): string {
  if (stripVTControlCharacters(line).length <= width) return line;
  let visible = 0;
  let text = '';
  // oxlint-disable-next-line no-control-regex
  for (const part of line.split(/(\u001b\[[0-9;]*m)/)) {
    if (part.startsWith('\u001b[')) text += part;
    else {
      const room = Math.max(0, width - 1 - visible);
      text += part.slice(0, room);
      visible += Math.min(part.length, room);
    }
  }
  return `${text}…\u001b[0m`;
}
