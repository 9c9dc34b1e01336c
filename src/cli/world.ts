import type { Engine } from '../engine/engine.ts';
import type { Result } from '../result.ts';
import type { Delivery } from './delivery.ts';

/** Where text goes. `columns` may change at any time. */
export type Output = { write(text: string): void; readonly isTerminal: boolean; readonly columns: number };

/** Where values come from that are on no command line. */
export type Typed = {
  readonly isTerminal: boolean;
  /** All there is to read, to its end. */
  read(): Promise<Uint8Array>;
  /** A line that is typed and not shown; undefined when whoever types gave up. */
  readHidden(prompt: string): Promise<string | undefined>;
};

/**
 * All that commands touch besides their arguments; tests run the real command line in a world of their own.
 * The engine and the delivery parts are loaded when first asked for: most commands need only one of them.
 */
export type World = {
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  stdout: Output;
  stderr: Output;
  stdin: Typed;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  /** Aborted when the process is asked to end in good order (SIGTERM); only the controller has such an order. */
  terminated: AbortSignal;
  cacheFolder: string;
  /** Where keys to secrets are. */
  configFolder: string;
  /** The installed package: examples/, images/, package.json. */
  packageFolder: string;
  /** Now, as ISO 8601. */
  clock: () => string;
  /** Lower-case hex, for names that must differ. */
  random: (characters: number) => string;
  engine: () => Promise<Result<Engine>>;
  delivery: () => Promise<Delivery>;
};

/** XDG's cache folder of this program. */
export const cacheFolderOf = (env: World['env'], home: string): string => baseFolder(env['XDG_CACHE_HOME'], `${home}/.cache`);

/** XDG's configuration folder of this program. */
export const configFolderOf = (env: World['env'], home: string): string => baseFolder(env['XDG_CONFIG_HOME'], `${home}/.config`);

const baseFolder = (said: string | undefined, otherwise: string): string =>
  `${said !== undefined && said.startsWith('/') ? said : otherwise}/changeless`;
