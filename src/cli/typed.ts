import type { ReadStream } from 'node:tty';
import type { Typed } from './world.ts';

const endOfText = '\u0003';
const endOfInput = '\u0004';
const erasing = new Set(['\u007f', '\b']);

/** Standard input, opened by who first reads of it. */
export const typedBy = (stdin: () => ReadStream, stderr: NodeJS.WritableStream): Typed => ({
  get isTerminal() {
    return stdin().isTTY;
  },
  async read() {
    const chunks: Uint8Array[] = [];
    for await (const chunk of stdin()) chunks.push(chunk as Uint8Array);
    return Buffer.concat(chunks);
  },
  readHidden: (prompt) => readHidden(stdin(), stderr, prompt),
});

/** Raw, so that the terminal repeats nothing of what is typed. */
function readHidden(stdin: ReadStream, stderr: NodeJS.WritableStream, prompt: string): Promise<string | undefined> {
  stderr.write(prompt);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  return new Promise((resolve) => {
    let line = '';
    const end = (typed: string | undefined): void => {
      stdin.off('data', hear);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write('\n');
      resolve(typed);
    };
    const hear = (text: string): void => {
      for (const character of text) {
        if (character === '\r' || character === '\n' || character === endOfInput) return end(line);
        if (character === endOfText) return end(undefined);
        line = erasing.has(character) ? line.slice(0, -1) : line + character;
      }
    };
    stdin.on('data', hear);
    stdin.resume();
  });
}
