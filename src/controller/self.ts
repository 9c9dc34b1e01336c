import { readFileSync } from 'node:fs';

/**
 * The engine's id of the container this process runs in, from the mounts Docker makes for it
 * (`…/containers/<id>/hostname`); undefined outside of one.
 */
export function ownContainer(mounts: () => string = () => readFileSync('/proc/self/mountinfo', 'utf8')): string | undefined {
  return /\/containers\/([0-9a-f]{64})\//.exec(mounts())?.[1];
}
