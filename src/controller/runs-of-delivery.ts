import { agentsOf } from '../release/images-of.ts';
import { resolveEnvironment } from '../release/resolve-environment.ts';
import { runsOfPush } from '../jobs/runs-of-push.ts';
import type { RunsOfDelivery } from '../ledger/delivery.ts';
import type { Post } from './post.ts';

/** What deliveries start, as this controller's release says. Without a place for their output no runs are carried, and so none begun. */
export function runsOfDelivery({ manifest, environment, logs }: Pick<Post, 'manifest' | 'environment' | 'logs'>): RunsOfDelivery {
  const architecture = resolveEnvironment(manifest.inputs.architecture, environment);
  if (!architecture.ok || logs === undefined) return () => [];
  const { release, inputs } = manifest;
  const context = { release, environment, architecture: architecture.value, sealed: inputs.secrets, agents: agentsOf(manifest) };
  return (delivery) => runsOfPush(delivery, context);
}
