import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import type { Problem } from '../problem.ts';
import type { CommandModule, Input, OptionValues } from './command.ts';
import { type CommandDefinition, commonOptions, type OptionDefinition } from './definition.ts';
import { commands } from './program.ts';
import type { World } from './world.ts';

/** What argv asked for. `answer`: it was answered already (help, version). */
export type Parsed =
  | { kind: 'answer'; exit: number }
  | { kind: 'problem'; problem: Problem }
  | { kind: 'command'; input: Input; load: () => Promise<CommandModule> };

/** Understands argv, or says what of it was not understood. Runs nothing. */
export async function parse(argv: readonly string[], world: World): Promise<Parsed> {
  if (argv[0] === '--version' || argv[0] === '-V') return version(world);
  let found: Parsed | undefined;
  const program = programOf(world, (definition, args, options) => {
    found = { kind: 'command', load: definition.load, input: inputOf(world, args, options) };
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (thrown) {
    if (thrown instanceof CommanderError) return misunderstood(thrown, argv);
    throw thrown;
  }
  return found ?? { kind: 'answer', exit: 0 };
}

type Chosen = (definition: CommandDefinition, args: readonly (string | undefined)[], options: OptionValues) => void;

function programOf(world: World, chosen: Chosen): Command {
  const program = new Command('changeless')
    .description('Delivers whole architectures that never change in place: one git commit becomes one immutable release.')
    .usage('<command> [options]')
    .configureOutput({ writeOut: (text) => world.stdout.write(text), writeErr: () => {}, getOutHelpWidth: () => world.stdout.columns })
    .configureHelp({ showGlobalOptions: false })
    .helpCommand('help [command]', 'help about a command')
    .exitOverride();
  addOptions(program, commonOptions);
  program.addOption(new Option('-V, --version', 'the version of Changeless'));
  program.addHelpText('after', '\nA first time:  changeless init demo && changeless up -C demo');
  for (const definition of commands) addCommand(program, definition, chosen);
  return program;
}

function addCommand(program: Command, definition: CommandDefinition, chosen: Chosen): void {
  const command = program.command(definition.name, { hidden: definition.hidden ?? false }).summary(definition.summary);
  command.description(`${definition.summary}\n\n${definition.details}`);
  for (const argument of definition.arguments) command.argument(argument.name, argument.description);
  addOptions(command, [...definition.options, ...commonOptions]);
  command.addHelpText('after', `\n${exampleText(definition)}`);
  command.action(() => {
    const given = definition.arguments.map((_, index) => command.args[index]);
    chosen(definition, given, command.optsWithGlobals<OptionValues>());
  });
}

export const exampleText = ({ examples }: CommandDefinition): string =>
  examples.map(({ command, does }) => `Example:\n  ${command}\n      ${does}`).join('\n');

function addOptions(command: Command, options: readonly OptionDefinition[]): void {
  for (const { flags, description, choices } of options) {
    const option = new Option(flags, description);
    command.addOption(choices === undefined ? option : option.choices(choices));
  }
}

function inputOf(world: World, args: Input['arguments'], options: OptionValues): Input {
  const folder = options['folder'];
  return {
    arguments: args,
    options,
    json: options['json'] === true,
    folder: path.resolve(world.cwd, typeof folder === 'string' ? folder : '.'),
  };
}

function misunderstood(error: CommanderError, argv: readonly string[]): Parsed {
  if (error.exitCode === 0) return { kind: 'answer', exit: 0 };
  if (error.code === 'commander.help') return { kind: 'problem', problem: noCommand };
  const [what = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const command = commands.find(({ name }) => argv.includes(name));
  const next =
    command === undefined || error.code === 'commander.unknownCommand' ? 'changeless --help' : `changeless ${command.name} --help`;
  return {
    kind: 'problem',
    problem: {
      code: 'USAGE',
      what,
      ...(suggestion !== undefined && { why: suggestion.replaceAll(/[()]/g, '').replace('Did', 'did') }),
      safe: 'nothing was changed',
      next,
    },
  };
}

const noCommand: Problem = { code: 'USAGE', what: 'no command was named', next: 'changeless --help    lists them' };

function version(world: World): Parsed {
  const described = JSON.parse(readFileSync(path.join(world.packageFolder, 'package.json'), 'utf8')) as { version: string };
  world.stdout.write(`${described.version}\n`);
  return { kind: 'answer', exit: 0 };
}
