import type { CommandModule } from './command.ts';

export type OptionDefinition = { flags: string; description: string; choices?: readonly string[] };

export type ArgumentDefinition = { name: string; description: string };

export type Example = { command: string; does: string };

/** A command as the parser, --help and the reference page know it. */
export type CommandDefinition = {
  name: string;
  summary: string;
  /** What it promises, in a few sentences. */
  details: string;
  /** `<name>` is required, `[name]` may be left out. */
  arguments: readonly ArgumentDefinition[];
  options: readonly OptionDefinition[];
  examples: readonly Example[];
  hidden?: boolean;
  load: () => Promise<CommandModule>;
};

/** What every command understands. */
export const commonOptions: readonly OptionDefinition[] = [
  { flags: '-C, --folder <folder>', description: 'the folder of architecture.ts, anywhere in a git repository (default: the current one)' },
  {
    flags: '--environment <name>',
    description: 'where the release runs, as declared in architecture.ts (default: local; for what runs already, where it does)',
  },
  { flags: '--json', description: 'the answer as JSON on stdout; progress stays on stderr' },
  { flags: '--debug', description: 'with a bug of ours, print where it happened' },
];

/** Exit codes of every command. */
export const exitCodes: readonly { code: number; means: string }[] = [
  { code: 0, means: 'done' },
  { code: 1, means: 'failed; what still serves is said' },
  { code: 2, means: 'the command line or the configuration is wrong' },
  { code: 3, means: 'drift was found' },
  { code: 4, means: 'held by another rollout' },
  { code: 70, means: 'a bug in Changeless' },
  { code: 130, means: 'interrupted' },
];
