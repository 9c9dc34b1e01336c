import { quote } from './quote.ts';

/** Lines that may say that a request goes no further, and the answer it then gets. */
export interface Rule {
  readonly lines: readonly string[];
  readonly name?: string;
  /** The action that ends it. */
  readonly answer?: string;
}

/** What a request is told that goes no further, or the service that tells it so. */
export interface Answer {
  readonly status: number;
  readonly error: string;
  readonly retryAfterSeconds?: number;
}

/** A rule that refuses. `alternatives`: one is enough; each is the names of all that has to be so. `key`: where it is written. */
export function refusal(rule: {
  readonly key: string;
  readonly name: string;
  readonly lines: readonly string[];
  readonly alternatives: readonly (readonly string[])[];
  readonly answer: Answer | `lua.${string}`;
}): Rule {
  const { key, name, lines, alternatives, answer } = rule;
  return {
    name,
    lines: [mark(key), ...lines, ...alternatives.map((names) => refuseLine(name, names))],
    answer: typeof answer === 'string' ? `use-service ${answer}` : jsonAnswer(answer),
  };
}

/** The first rule that refuses is the one that did. */
export const refuseLine = (name: string, conditions: readonly string[]): string =>
  ['http-request', `set-var(txn.refused) str(${assertRuleName(name)})`, 'if !refused', ...conditions].join(' ');

/** The lines that count and answer what any of the rules refused. */
export function answerLines(rules: readonly Rule[]): string[] {
  const answers = rules.flatMap(({ name, answer }) => (name && answer ? [[name, answer] as const] : []));
  return [
    mark('policy'),
    'http-request track-sc2 var(txn.refused) table refused if refused',
    'http-request sc-inc-gpc0(2) if refused',
    ...answers.map(([name, answer]) => `http-request ${answer} if refused { var(txn.refused) -m str ${name} }`),
  ];
}

function jsonAnswer({ status, error, retryAfterSeconds }: Answer): string {
  const retry = retryAfterSeconds === undefined ? '' : ` hdr retry-after ${retryAfterSeconds}`;
  return `return status ${status} content-type application/json hdr cache-control no-store${retry} string ${quote(JSON.stringify({ error }))}`;
}

/** By it a mistake that the proxy finds is traced to where it was written. `key`: names and positions, with blanks between. */
export const mark = (key: string): string => `${MARK}${key}`;

const MARK = '# at ';

/** The key of a line, counted from 1, of a configuration; none where the line comes from nothing that was written. */
export function keyOfLine(config: string, number: number): string[] | undefined {
  const lines = config.split('\n').slice(0, number);
  const section = lines.findLastIndex((line) => /^\S/.test(line));
  const marked = lines.slice(section).findLast((line) => line.trim().startsWith(MARK));
  return marked?.trim().slice(MARK.length).split(' ');
}

function assertRuleName(name: string): string {
  if (!/^[a-z-]+(:[A-Za-z0-9._-]+)?$/.test(name)) throw new Error(`datapath: ${JSON.stringify(name)} is not the name of a rule`);
  return name;
}
