import { styleText } from 'node:util';
import type { Finding, Problem } from '../../problem.ts';

export type Paint = (style: Parameters<typeof styleText>[0], text: string) => string;

export const plain: Paint = (_style, text) => text;
export const coloured: Paint = (style, text) => styleText(style, text, { validateStream: false });

/** Colours where a person looks, unless NO_COLOR is set. */
export const paintFor = (isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Paint =>
  isTerminal && (env['NO_COLOR'] ?? '') === '' ? coloured : plain;

/**
 * A problem in the house form: what happened on the first line, then why, each mistake with its place, what is safe,
 * what to do next, and the evidence. Ends with a line break.
 */
export function renderProblem(problem: Problem, paint: Paint = plain): string {
  const lines = [`${paint(['red', 'bold'], 'error')} ${paint('bold', problem.code)}  ${problem.what}`];
  lines.push(...field('why', problem.why, paint));
  lines.push(...field('where', problem.where, paint));
  for (const finding of problem.findings ?? []) lines.push(...findingLines(finding, paint));
  lines.push(...field('safe', problem.safe, paint), ...field('next', problem.next, paint));
  if (problem.lines !== undefined && problem.lines.length > 0) {
    lines.push('', ...problem.lines.map((line) => `    ${paint('dim', '|')} ${printable(line)}`));
  }
  return `${lines.join('\n')}\n`;
}

function field(name: string, text: string | undefined, paint: Paint): string[] {
  if (text === undefined || text === '') return [];
  const [first = '', ...more] = text.split('\n');
  return [`  ${paint('cyan', name.padEnd(5))} ${first}`, ...more.map((line) => `        ${line}`)];
}

function findingLines(finding: Finding, paint: Paint): string[] {
  const { place } = finding;
  const key = finding.key === undefined ? '' : `${paint('bold', finding.key)}: `;
  if (place === undefined) return [`  - ${key}${finding.what}`];
  const where = [place.file, place.line, ...(place.column === undefined ? [] : [place.column])].join(':');
  const lines = [`  ${paint('underline', where)}  ${key}${finding.what}`];
  if (place.text !== undefined) lines.push(...offendingText(place.text, place.column, paint));
  return lines;
}

// The caret is left out where tabs or long lines would put it in a wrong place.
function offendingText(text: string, column: number | undefined, paint: Paint): string[] {
  const shown = printable(text.trimEnd());
  if (column === undefined || shown.length > 120) return [`      ${shown.slice(0, 120)}`];
  return [`      ${shown}`, `      ${' '.repeat(Math.max(0, column - 1))}${paint('red', '^')}`];
}

/** Text of others, safe to show: tabs as two spaces, no control characters, no colours of its own. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text
    .replaceAll('\t', '  ')
    .replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, '')
    .replaceAll(/[\u0000-\u001f\u007f]/g, '');
}
