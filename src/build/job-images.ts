import type { ListedImage } from '../engine/image.ts';
import { labels } from '../engine/labels.ts';

/** Whether an image is that of a step of a run, or a source of such: no release has it, and it goes when its run has ended. */
export const isJobImage = ({ labels: own }: ListedImage): boolean => isSource(own) || isStep(own);

/**
 * What goes of an architecture's images when these runs have ended: the images of their steps, and the sources that no other
 * run's steps are made from. What belongs to a run that is not named stays, for it may be about to begin. Pure.
 */
export function jobImagesToForget(images: readonly ListedImage[], ended: ReadonlySet<string>): ListedImage[] {
  const steps = images.filter(({ labels: own }) => isStep(own));
  const going = steps.filter(({ labels: own }) => ended.has(own[labels.run] ?? ''));
  const sourcesOf = (list: readonly ListedImage[]) => new Set(list.map(({ labels: own }) => own[labels.source]));
  const [left, used] = [sourcesOf(going), sourcesOf(steps.filter((step) => !going.includes(step)))];
  return [...going, ...images.filter(({ id, labels: own }) => isSource(own) && left.has(id) && !used.has(id))];
}

const isSource = (own: Readonly<Record<string, string>>): boolean => own[labels.role] === 'source';
const isStep = (own: Readonly<Record<string, string>>): boolean => own[labels.role] === 'step-image';
