import type { Engine } from '../engine/engine.ts';
import type { Result } from '../result.ts';
import type { Delivery } from './delivery.ts';

/** Where text goes. `columns` may change at any time. */
export type Output = { write(text: string): void; readonly isTerminal: boolean; readonly columns: number };

/**
 * All that commands touch besides their arguments; tests run the real command line in a world of their own.
 * The engine and the delivery parts are loaded when first asked for: most commands need only one of them.
 */
export type World = {
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  stdout: Output;
  stderr: Output;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  /** Aborted when the process is asked to end in good order (SIGTERM); only the controller has such an order. */
  terminated: AbortSignal;
  cacheFolder: string;
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
export function cacheFolderOf(env: World['env'], home: string): string {
  const base = env['XDG_CACHE_HOME'];
  return base !== undefined && base.startsWith('/') ? `${base}/changeless` : `${home}/.cache/changeless`;
}
