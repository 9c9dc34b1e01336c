import { containersOf, imageTags, networksOf, volumesOf } from './engine-calls.ts';

/**
 * All that the engine holds of the architecture but images, one line each, without what tells one rollout or one colour from
 * another: either colour may serve, and a data path has an image for each.
 */
export async function inventoryOf(architecture: string): Promise<string[]> {
  const [containers, networks, volumes] = await Promise.all([
    containersOf(architecture),
    networksOf(architecture),
    volumesOf(architecture),
  ]);
  return [
    ...containers.map(({ Names: [name = ''], State, Labels, ImageID }) => {
      const role = Labels['dev.changeless.role'] ?? '';
      const image = role === 'path' ? 'its image' : ImageID.slice(7, 19);
      return `${role} ${isPlace(role) ? plain(name) : withoutColour(plain(name))} ${State} ${image}`;
    }),
    ...networks.map(({ Name }) => `network ${Name}`),
    ...volumes.map(({ Name }) => `volume ${plain(Name)}`),
  ].toSorted();
}

const isPlace = (role: string): boolean => role === 'sandbox';

const withoutColour = (name: string): string => name.replace(/\.(blue|green)$/, '');

/** Without the number of a rollout and random endings. */
const plain = (name: string): string =>
  name
    .replace(/(\.controller\.[0-9a-f]{8}).*$/, '$1')
    .replace(/(\.path\.[0-9a-f]{8})\.\d+$/, '$1')
    .replace(/(\.slot\.memory)\.[0-9a-f]{8}$/, '$1');

/** Of how many releases the engine has images. */
export async function releasesWithImages(architecture: string): Promise<number> {
  const tags = await imageTags(`changeless/${architecture}/release:`);
  return new Set(tags.map((tag) => tag.replace(/^.*:([0-9a-f]+).*$/, '$1'))).size;
}
