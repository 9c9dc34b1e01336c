import type { ListedImage } from './image.ts';
import { labels } from './labels.ts';

/** Whether an image is that of a step of a run, or a source of such: no release has it, and it goes when its run has ended. */
export const isJobImage = ({ labels: own }: ListedImage): boolean => isSource(own) || isStep(own);

/**
 * What goes of an architecture's images when these runs have ended: the sources that no other run's steps are made from, and the
 * images of their steps, which say which sources these are and so go last. What belongs to a run that is not named stays, for it
 * may be about to begin. Pure.
 */
export function jobImagesToForget(images: readonly ListedImage[], ended: ReadonlySet<string>): ListedImage[] {
  const steps = images.filter(({ labels: own }) => isStep(own));
  const going = steps.filter(({ labels: own }) => ended.has(own[labels.run] ?? ''));
  const sourcesOf = (list: readonly ListedImage[]) => new Set(list.map(({ labels: own }) => own[labels.source]));
  const [left, used] = [sourcesOf(going), sourcesOf(steps.filter((step) => !going.includes(step)))];
  return [...images.filter(({ id, labels: own }) => isSource(own) && left.has(id) && !used.has(id)), ...going];
}

const isSource = (own: Readonly<Record<string, string>>): boolean => own[labels.role] === 'source';
const isStep = (own: Readonly<Record<string, string>>): boolean => own[labels.role] === 'step-image';
