import type { InstanceUsage } from '../engine.ts';
import { labels } from '../labels.ts';
import type { DockerClient } from './client.ts';
import { listContainers } from './containers.ts';
import { hasStatus } from './failure.ts';
import { instanceRoles, nameOf, ofArchitecture } from './names.ts';
import type { ListedContainer, VendorStats } from './vendor.ts';

/** What each instance that runs uses. One listing, then one look at each, side by side and without the second that Docker compares with. */
export async function usage(client: DockerClient, architecture: string): Promise<InstanceUsage[]> {
  const all = await listContainers(client, [ofArchitecture(architecture)]);
  const running = all.filter(({ State, Labels }) => State === 'running' && instanceRoles.includes(Labels?.[labels.role] ?? ''));
  const looks = await Promise.all(running.map((container) => usageOf(client, architecture, container)));
  return looks.filter((look) => look !== undefined);
}

async function usageOf(client: DockerClient, architecture: string, container: ListedContainer): Promise<InstanceUsage | undefined> {
  const { Id, Labels, Names } = container;
  const query = { stream: false, 'one-shot': true };
  const stats = await client.json<VendorStats>({ path: `/containers/${Id}/stats`, query }).catch((error: unknown) => {
    if (hasStatus(error, 404, 409)) return undefined; // It has gone meanwhile.
    throw error;
  });
  const cpuNs = stats?.cpu_stats?.cpu_usage?.total_usage;
  // Of one that has ended meanwhile nothing is counted.
  if (!stats || !cpuNs) return undefined;
  return { name: nameOf(architecture, Labels ?? {}, Names[0] ?? ''), container: Id, cpuMs: cpuNs / 1e6, memoryBytes: memoryBytesOf(stats) };
}

/** As Docker's own command line counts: without the files that are in memory and could be dropped. */
function memoryBytesOf({ memory_stats: { usage: all = 0, stats = {} } = {} }: VendorStats): number {
  return Math.max(0, all - (stats['inactive_file'] ?? stats['total_inactive_file'] ?? 0));
}
