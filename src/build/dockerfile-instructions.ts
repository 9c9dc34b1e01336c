/**
 * One instruction of a Dockerfile, its continued lines joined. `offsets[i]` is where `text[i]` is in the source;
 * `start` and `end` are the source it takes up, without the line break at its end or its heredocs.
 */
export type Instruction = { keyword: string; text: string; offsets: readonly number[]; line: number; start: number; end: number };

/** A comment at the top that is an order to the parser: `# syntax=…`, `# escape=…`. */
export type Directive = { name: string; value: string; line: number };

type Line = { text: string; offset: number };

const directivePattern = /^#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$/;
const commentOrBlank = /^\s*(#.*)?$/;
const heredocPattern = /(?:^|\s)\d*<<(-?)(["']?)([A-Za-z_][\w.-]*)\2(?=\s|$)/g;
const takesHeredocs = new Set(['RUN', 'COPY', 'ADD']);

/** Splits a Dockerfile by its reference's rules: directives, comments, continuation lines and heredocs. */
export function readInstructions(source: string): { directives: Directive[]; instructions: Instruction[] } {
  const lines = linesOf(source);
  const directives = readDirectives(lines);
  const escape = directives.find(({ name }) => name === 'escape')?.value ?? '\\';
  const instructions: Instruction[] = [];
  let index = directives.length;
  while (index < lines.length) {
    if (commentOrBlank.test(lines[index]?.text ?? '')) {
      index += 1;
      continue;
    }
    const { instruction, next } = readInstruction(lines, index, escape);
    instructions.push(instruction);
    index = skipHeredocs(lines, next, instruction);
  }
  return { directives, instructions };
}

function linesOf(source: string): Line[] {
  const lines: Line[] = [];
  let offset = 0;
  for (const whole of source.split('\n')) {
    lines.push({ text: whole.replace(/\r$/, ''), offset });
    offset += whole.length + 1;
  }
  return lines;
}

function readDirectives(lines: readonly Line[]): Directive[] {
  const directives: Directive[] = [];
  for (const { text } of lines) {
    const [, name, value] = directivePattern.exec(text) ?? [];
    if (name === undefined || value === undefined) break;
    directives.push({ name: name.toLowerCase(), value, line: directives.length + 1 });
  }
  return directives;
}

function readInstruction(lines: readonly Line[], first: number, escape: string): { instruction: Instruction; next: number } {
  let text = '';
  const offsets: number[] = [];
  let [index, end] = [first, 0];
  for (; index < lines.length; index += 1) {
    const line = lines[index];
    if (line === undefined) break;
    if (index > first && commentOrBlank.test(line.text)) continue;
    const body = withoutContinuation(line.text, escape);
    text += body ?? line.text;
    for (let i = 0; i < (body ?? line.text).length; i += 1) offsets.push(line.offset + i);
    end = line.offset + line.text.length;
    if (body === undefined) break;
  }
  const keyword = (/^\s*(\S+)/.exec(text)?.[1] ?? '').toUpperCase();
  const instruction = { keyword, text, offsets, line: first + 1, start: lines[first]?.offset ?? 0, end };
  return { instruction, next: index + 1 };
}

function withoutContinuation(line: string, escape: string): string | undefined {
  const trimmed = line.trimEnd();
  return trimmed.endsWith(escape) ? trimmed.slice(0, -1) : undefined;
}

function skipHeredocs(lines: readonly Line[], from: number, { keyword, text }: Instruction): number {
  if (!takesHeredocs.has(keyword)) return from;
  let index = from;
  for (const [, dash, , delimiter] of text.matchAll(heredocPattern)) {
    const ends = (line: string): boolean => (dash === '-' ? line.replace(/^\t+/, '') : line) === delimiter;
    while (index < lines.length && !ends(lines[index]?.text ?? '')) index += 1;
    index += 1;
  }
  return index;
}
