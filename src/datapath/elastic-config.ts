import { leavingPort } from '../leaving-port.ts';
import { LEAN, LIBRARY, renderConfig } from './path-config.ts';

/** How many instances there are at least and at most. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** The options of a server that can be told that its instance leaves: within a quarter of a second it gets nothing new. */
export const HEED_LEAVING = `agent-check agent-port ${leavingPort} agent-inter 250ms`;

/** `leaving.cfg`: what the path's image runs in an instance's place. It ends by itself when the drain limit has passed. */
export function renderLeaving(drainLimitMs: number): string {
  return renderConfig([
    {
      header: 'global',
      // Who takes it back says how long that is to last.
      lines: ['fd-hard-limit 500', ...LEAN, `presetenv CHANGELESS_LEAVING_MS ${drainLimitMs}`, `lua-load ${LIBRARY}/leaving.lua`],
    },
    { header: 'defaults', lines: ['mode tcp', 'timeout client 1s'] },
    { header: 'frontend leaving', lines: [`bind :${leavingPort}`, 'tcp-request content use-service lua.leaving'] },
  ]);
}
