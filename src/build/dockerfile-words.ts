import type { Instruction } from './dockerfile-instructions.ts';

/** A word of an instruction, and where it begins in the instruction's text. Quotes are kept. */
export type Word = { text: string; at: number };

/** Value of a variable, undefined when it has none. */
export type Lookup = (name: string) => string | undefined;

const wordPattern = /(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"']|["'])+/g;

/** The words after the keyword; a quoted part may hold blanks. */
export function wordsOf({ text, keyword }: Instruction): Word[] {
  const from = text.toUpperCase().indexOf(keyword) + keyword.length;
  return [...text.slice(from).matchAll(wordPattern)].map((match) => ({ text: match[0], at: from + match.index }));
}

/** A word as BuildKit reads it: quotes gone, variables replaced. */
export const wordValue = (word: string, lookup: Lookup): string =>
  word.replace(
    /'([^']*)'|"((?:[^"\\]|\\.)*)"|[^'"]+/g,
    (part, single: string | undefined, double: string | undefined) => single ?? expand(double ?? part, lookup),
  );

const simpleVariable = /^\$([A-Za-z_]\w*)/;
const bracedVariable = /^\$\{([A-Za-z_]\w*)(?:(:?[-+?])([\s\S]*))?\}$/;

/** Replaces `$NAME`, `${NAME}`, `${NAME:-word}` and `${NAME:+word}`; a variable without value is empty. */
export function expand(text: string, lookup: Lookup): string {
  let [result, rest] = ['', text];
  while (rest !== '') {
    const [value, length] = next(rest, lookup);
    result += value;
    rest = rest.slice(length);
  }
  return result;
}

/** What the text begins with, expanded, and how much of it that took. */
function next(text: string, lookup: Lookup): [value: string, length: number] {
  const plain = /^[^\\$]+/.exec(text)?.[0];
  if (plain !== undefined) return [plain, plain.length];
  if (text.startsWith('\\')) return [text.slice(1, 2), Math.min(2, text.length)];
  const simple = simpleVariable.exec(text);
  if (simple?.[1] !== undefined) return [lookup(simple[1]) ?? '', simple[0].length];
  const braced = text.slice(0, closingBrace(text));
  const parts = bracedVariable.exec(braced);
  if (parts?.[1] === undefined) return ['$', 1];
  return [bracedValue({ value: lookup(parts[1]), operator: parts[2] ?? '', word: parts[3] ?? '' }, lookup), braced.length];
}

function bracedValue({ value, operator, word }: { value: string | undefined; operator: string; word: string }, lookup: Lookup): string {
  const isSet = operator.startsWith(':') ? value !== undefined && value !== '' : value !== undefined;
  if (operator.endsWith('-')) return isSet ? (value ?? '') : expand(word, lookup);
  if (operator.endsWith('+')) return isSet ? expand(word, lookup) : '';
  return value ?? '';
}

/** End of the `${…}` that the text begins with, nested ones included. */
function closingBrace(text: string): number {
  let depth = 0;
  for (let index = 1; index < text.length; index += 1) {
    if (text[index] === '{') depth += 1;
    if (text[index] === '}') depth -= 1;
    if (depth === 0) return index + 1;
  }
  return text.length;
}
