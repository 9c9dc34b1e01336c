import type { Row, Summary } from './measure.ts';

/** The rows as a table of Markdown, which is also how a terminal shows them. */
export function table(rows: readonly Row[]): string {
  const cells = [
    ['bench', 'what', 'measured', 'floor', 'ratio', 'bar', ''],
    ...rows.map((row) => [
      row.bench,
      row.what,
      amount(row.measured, row.unit),
      row.floor === undefined ? '' : amount(row.floor, row.unit),
      row.ratio === undefined ? '' : range(row.ratio, (value) => value.toFixed(2)),
      row.bar?.says ?? '',
      row.bar === undefined ? '' : row.bar.hit ? 'hit' : 'MISSED',
    ]),
  ];
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const lines = cells.map((line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`);
  lines.splice(1, 0, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`);
  const notes = rows.flatMap(({ bench, what, note }) => (note === undefined ? [] : [`${bench}, ${what}: ${note}`]));
  return [...lines, ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
}

function amount(summary: Summary, unit: Row['unit']): string {
  if (unit === 'ms') return `${range(summary, milliseconds)} ms`;
  if (unit === 'MB') return `${range(summary, (value) => value.toFixed(1))} MB`;
  return range(summary, (value) => String(Math.round(value)));
}

const milliseconds = (value: number): string => (value < 10 ? value.toFixed(1) : String(Math.round(value)));

/** Median and spread; one that was measured once has none. */
const range = ({ median, min, max, count }: Summary, text: (value: number) => string): string =>
  count === 1 ? text(median) : `${text(median)} (${text(min)}–${text(max)})`;
