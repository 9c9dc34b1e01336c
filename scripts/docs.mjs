// Makes docs/reference/ from the code: the commands as the parser knows them, the catalogue of errors, the authoring
// types with their comments, the union of events. With --check it writes nothing, and ends with 1 when a page differs.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { rootFolder } from './setup/processes.mjs';
import { commonOptions, exitCodes } from '../src/cli/definition.ts';
import { commands } from '../src/cli/program.ts';
import { problemCatalogue } from '../src/problem.ts';

const folder = path.join(rootFolder, 'docs/reference');
const notice = '<!-- Made by scripts/docs.mjs from the code. Change the code, then run: node scripts/docs.mjs -->';

const pages = {
  'commands.md': commandsPage(),
  'errors.md': errorsPage(),
  'configuration.md': configurationPage(),
  'events.md': eventsPage(),
};

if (process.argv.includes('--check')) check();
else write();

function write() {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(pages)) writeFileSync(path.join(folder, name), text);
}

function check() {
  const different = Object.entries(pages).filter(([name, text]) => readPage(name) !== text);
  if (different.length === 0) return;
  console.log(`docs/reference differs from the code in ${different.map(([name]) => name).join(', ')}; run: node scripts/docs.mjs`);
  process.exitCode = 1;
}

function readPage(name) {
  try {
    return readFileSync(path.join(folder, name), 'utf8');
  } catch {
    return undefined;
  }
}

function page(title, parts) {
  return `${[`# ${title}`, notice, ...parts].join('\n\n')}\n`;
}

function commandsPage() {
  const shown = commands.filter(({ hidden }) => !hidden);
  return page('Commands', [
    '`changeless <command>`. The answer is on stdout, progress and problems on stderr.',
    table(
      ['Command', 'Does'],
      shown.map(({ name, summary }) => [`[\`${name}\`](#${name})`, summary]),
    ),
    '## Every command',
    table(
      ['Option', 'Meaning'],
      commonOptions.map(({ flags, description }) => [code(flags), description]),
    ),
    table(
      ['Exit code', 'Meaning'],
      exitCodes.map(({ code: exit, means }) => [String(exit), means]),
    ),
    ...shown.flatMap(commandParts),
  ]);
}

function commandParts({ name, summary, details, arguments: words, options, examples }) {
  const usage = ['changeless', name, ...words.map((word) => word.name), options.length > 0 ? '[options]' : ''].filter(Boolean).join(' ');
  const rows = [
    ...words.map((word) => [code(word.name), word.description]),
    ...options.map(({ flags, description }) => [code(flags), description]),
  ];
  return [
    `## ${name}`,
    `${sentence(summary)} ${details}`,
    `    ${usage}`,
    ...(rows.length > 0 ? [table(['', ''], rows)] : []),
    ...examples.map(({ command, does }) => `Example: \`${command}\`: ${does}.`),
  ];
}

function errorsPage() {
  const rows = Object.entries(problemCatalogue).map(([name, { exit, means }]) => [code(name), String(exit), means]);
  return page('Errors', [
    'Every problem has a code that never changes, says what happened, why, what still serves, and what to do next. With `--json` it is on stdout as `{"problem": {…}}`, or in the last `rollout-ended` event.',
    table(['Code', 'Exit', 'Meaning'], rows),
  ]);
}

function configurationPage() {
  const files = [
    'authoring.ts',
    'job-authoring.ts',
    'channel-authoring.ts',
    'policy-authoring.ts',
    'container-authoring.ts',
    'size-authoring.ts',
  ];
  const source = files.map((file) => readFileSync(path.join(rootFolder, 'src/architecture', file), 'utf8')).join('\n');
  const types = [...source.matchAll(/(?:\/\*\*((?:(?!\*\/)[^])*)\*\/\n)?export type (\w+) =(\s+)([^]*?;)\n(?=\n|$)/g)];
  const functions = [...source.matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\nexport const (\w+) = \((\w+): (\w+)\)/g)];
  return page('Configuration', [
    '`architecture.ts` default-exports an architecture, written with these functions from `changeless`. It is evaluated from the commit, without network, clock or environment.',
    table(
      ['Function', 'Takes', 'For'],
      functions.map(([, comment, name, , input]) => [code(`${name}()`), `[\`${input}\`](#${input.toLowerCase()})`, prose(comment)]),
    ),
    ...types.flatMap(([, comment, name, gap, body]) => [
      `## ${name}`,
      ...(comment ? [prose(comment)] : []),
      fenced(`type ${name} =${gap}${body}`),
    ]),
  ]);
}

function eventsPage() {
  const source = readFileSync(path.join(rootFolder, 'src/events.ts'), 'utf8');
  const union = /export type ChangelessEvent =\n([^]*?);\n\n/.exec(source)?.[1] ?? '';
  const groups = union.split(/^ *\/\/ /m).filter((group) => group.trim() !== '');
  return page('Events', [
    '`up` and `rollback` with `--json` print one event a line, each with `at` (ISO 8601) and `version`. The last is `rollout-ended`.',
    ...groups.flatMap(eventGroup),
  ]);
}

function eventGroup(group) {
  const [title = '', ...rest] = group.split('\n');
  const members = rest
    .join('\n')
    .split(/^ *\| (?=\{)/m)
    .map((text) => text.replaceAll(/\s+/g, ' ').trim())
    .filter(Boolean);
  const rows = members.map((member) => {
    const type = /type: '([^']+)'/.exec(member)?.[1] ?? '';
    const fields = member.replace(/^\{ type: '[^']+';? ?/, '').replace(/;? ?\}$/, '');
    return [
      code(type),
      fields === ''
        ? ''
        : fields
            .split(/; (?![^{]*\})/)
            .map(code)
            .join(' '),
    ];
  });
  return [`## ${title.charAt(0).toUpperCase()}${title.slice(1).trim()}`, table(['Type', 'Members'], rows)];
}

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function prose(comment) {
  return comment
    .split('\n')
    .map((line) => line.replace(/^ *\*? ?/, '').trim())
    .filter(Boolean)
    .join(' ');
}

function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function code(text) {
  return `\`${text}\``;
}

function fenced(text) {
  return `\`\`\`ts\n${text}\n\`\`\``;
}
