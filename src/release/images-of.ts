import type { ImageId } from '../digest.ts';
import type { Manifest, SealedGeneration } from './manifest.ts';

/** The images a release runs from that are its architecture's own: components, what they are configured to, data paths. */
export const ownImagesOf = (manifest: Manifest): ImageId[] => [
  ...Object.values(manifest.outputs.components),
  ...sealedGenerations(manifest).flatMap(generationImages),
];

/** The images in which jobs' steps run, by the agent's name. */
export function agentsOf({ outputs }: Manifest): Record<string, ImageId> {
  const agents = Object.entries(outputs.components).filter(([name]) => name.startsWith(agent));
  return Object.fromEntries(agents.map(([name, image]) => [name.slice(agent.length), image]));
}

const agent = 'agent/';

/** Every generation of a release, in every environment. */
export const sealedGenerations = ({ outputs }: Manifest): SealedGeneration[] =>
  Object.values(outputs.environments).flatMap(({ core, apps, stores }) => [core, ...Object.values(apps), ...Object.values(stores)]);

/** What runs of a generation, in either colour. */
export const generationImages = ({ images: { services, steps = {}, path } }: SealedGeneration): ImageId[] => [
  ...Object.values(services),
  ...Object.values(steps),
  path.blue,
  path.green,
];
