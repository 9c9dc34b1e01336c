import type { ImageId } from '../digest.ts';
import type { Manifest, SealedGeneration } from './manifest.ts';

/** The images a release runs from that are its architecture's own: components, what they are configured to, data paths. */
export function ownImagesOf({ outputs }: Manifest): ImageId[] {
  const generations = Object.values(outputs.environments).flatMap(({ core, apps, stores }) => [
    core,
    ...Object.values(apps),
    ...Object.values(stores),
  ]);
  return [...Object.values(outputs.components), ...generations.flatMap(generationImages)];
}

/** What runs of a generation, in either colour. */
export const generationImages = ({ images: { services, steps = {}, path } }: SealedGeneration): ImageId[] => [
  ...Object.values(services),
  ...Object.values(steps),
  path.blue,
  path.green,
];
