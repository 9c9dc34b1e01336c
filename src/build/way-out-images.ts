import { digestOf, type BodyId, type ComponentKey, type ImageId } from '../digest.ts';
import type { AssembleRequest } from '../engine/image.ts';
import { labels } from '../engine/labels.ts';
import { wayOut } from '../release/way-out.ts';
import { configuredTag } from './image-names.ts';
import type { PathImage } from './path-images.ts';

/** The instance through which an app that lives elsewhere is reached: the proxy with one origin, the same in both colours. */
export type WayOutImage = { app: string; body: BodyId; config: string; tag: string };

/** Where it finds its configuration. */
const configPath = '/etc/changeless/way-out.cfg';

/** Those that the data paths need. */
export function wayOutImages(architecture: string, paths: readonly PathImage[], proxy: ComponentKey): WayOutImage[] {
  const images = paths.flatMap(({ unit: { name: app }, generation: { body }, config: { wayOut: config } }): WayOutImage[] => {
    if (config === undefined) return [];
    return [{ app, body, config, tag: configuredTag(architecture, `${app}/${wayOut}`, digestOf({ proxy, body, config })) }];
  });
  return [...new Map(images.map((image) => [image.tag, image])).values()];
}

/** The micro layer on the proxy image. */
export const wayOutRequest = (
  { app, body, config, tag }: WayOutImage,
  proxy: { id: ImageId; key: ComponentKey; architecture: string },
): AssembleRequest => ({
  base: proxy.id,
  files: [{ path: configPath, contents: config }],
  change: {
    entrypoint: ['haproxy', '-db', '-f', configPath],
    command: [],
    labels: {
      [labels.architecture]: proxy.architecture,
      [labels.app]: app,
      [labels.role]: 'service',
      [labels.key]: proxy.key,
      [labels.body]: body,
    },
  },
  tag,
});
