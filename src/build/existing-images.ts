import type { ComponentKey, ImageId } from '../digest.ts';
import type { ListedImage } from '../engine/image.ts';
import { labels } from '../engine/labels.ts';

/** The engine's images of Changeless at one moment, as one listing gave them. */
export class ExistingImages {
  readonly #byTag = new Map<string, ImageId>();
  readonly #byKey = new Map<string, ImageId>();
  readonly #ids = new Set<string>();

  constructor(images: readonly ListedImage[], architecture: string) {
    const own = `changeless/${architecture}/`;
    for (const image of images) {
      this.#ids.add(image.id);
      for (const tag of image.tags) this.#byTag.set(tag, image.id);
      const key = image.labels[labels.key];
      const isTested = image.labels[labels.role] === 'component' && image.tags.some((tag) => isEvidence(tag, own));
      if (key !== undefined && isTested) this.#byKey.set(key, image.id);
    }
  }

  tagged(tag: string): ImageId | undefined {
    return this.#byTag.get(tag);
  }

  /** A component's image that passed its tests, under whichever of the architecture's components it was built. */
  component(key: ComponentKey): ImageId | undefined {
    return this.#byKey.get(key);
  }

  has(id: ImageId): boolean {
    return this.#ids.has(id);
  }
}

/** Every tag but that of an image still to be tested. */
const isEvidence = (tag: string, own: string): boolean => tag.startsWith(own) && !tag.startsWith(`${own}untested:`);
