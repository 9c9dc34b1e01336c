import { readFileSync } from 'node:fs';
import { containersOf, inspect } from './engine-calls.ts';

/**
 * Bytes of each app's data path: the proxy and its sandbox, each with the engine's shim that holds it, counting of what
 * processes share each one's part (`Pss`). Needs the engine's host.
 */
export async function idlePathBytes(architecture: string): Promise<number[]> {
  const all = (await containersOf(architecture)).filter(({ State, Labels }) => State === 'running' && Labels['dev.changeless.app']);
  const found = await Promise.all(all.map(({ Id }) => inspect(Id)));
  const byId = new Map(found.map((container) => [container.Id, container]));
  return found
    .filter(({ Config }) => Config.Labels['dev.changeless.role'] === 'path')
    .map((path) => {
      const sandbox = byId.get(String(path.HostConfig['NetworkMode']).replace(/^container:/, ''));
      if (!sandbox) throw new Error(`${path.Name} has no sandbox`);
      return [path, sandbox].flatMap(({ State: { Pid } }) => [Pid, parentOf(Pid)]).reduce((sum, pid) => sum + proportionalBytes(pid), 0);
    });
}

const parentOf = (pid: number): number => Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

const proportionalBytes = (pid: number): number =>
  Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) * 1024;
