import { readFileSync } from 'node:fs';

/**
 * The engine's id of the container this process runs in, from the mounts Docker makes for it
 * (`…/containers/<id>/hostname`); undefined outside of one.
 */
export function ownContainer(mounts: () => string = () => readFileSync('/proc/self/mountinfo', 'utf8')): string | undefined {
  return /\/containers\/([0-9a-f]{64})\//.exec(mounts())?.[1];
}

const OUTSIDE = 'process-';

/** What a controller is called in the ledger: its container or, outside of one, its process, which no engine knows. */
export const controllerId = (): string => ownContainer() ?? `${OUTSIDE}${process.pid}`;

/** Whether an engine can say if that controller is still there. */
export const isOnEngine = (controller: string): boolean => !controller.startsWith(OUTSIDE);
