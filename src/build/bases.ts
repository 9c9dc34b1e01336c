import type { ImageId } from '../digest.ts';
import type { ImageDetail, Images } from '../engine/image.ts';
import type { Report } from '../events.ts';
import type { Problem } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import { baseTag } from './image-names.ts';
import { mapBounded } from '../bounded.ts';
import { repositoryOf } from './pins.ts';

/** How long a registry may take to give an image: a base is large, an absent registry must not hold things up for long. */
export const pullLimitMs = 120_000;

/** An external image as a Dockerfile names it, and its pin. */
export type Base = { name: string; pin: string };

/** A base on the engine. `tag` is the local name that stands for the pin. */
export type ResolvedBase = Base & { id: ImageId; tag: string };

/**
 * Has every base on the engine under the local name of its pin, pulling by digest what is not there. Changes nothing but
 * names, and may be repeated. BASE_CHANGED when the engine has another image under the name and the pinned one cannot
 * be had; BASE_UNAVAILABLE when it has none.
 */
export async function resolveBases(
  { images, report }: { images: Images; report: Report },
  bases: readonly Base[],
): Promise<Result<ResolvedBase[]>> {
  const different = [...new Map(bases.map((base) => [`${base.name} ${base.pin}`, base])).values()];
  const results = await mapBounded(different, 4, async (base) => await resolveBase({ images, report }, base));
  const bad = results.find((result) => !result.ok);
  if (bad !== undefined && !bad.ok) return bad;
  return done(results.flatMap((result) => (result.ok ? [result.value] : [])));
}

async function resolveBase({ images, report }: { images: Images; report: Report }, { name, pin }: Base): Promise<Result<ResolvedBase>> {
  const tag = baseTag(pin);
  const found = await findBase(images, { name, pin });
  const image = found ?? (await pullBase(images, { name, pin }));
  if ('problem' in image) return failed(image.problem);
  report({ type: 'base-resolved', base: name, digest: pin, how: found === undefined ? 'pulled' : 'present' });
  if (!image.tags.includes(tag)) await images.tag(image.id, tag);
  return done({ name, pin, id: image.id, tag });
}

/** The pinned image, under whichever name the engine has it. */
async function findBase(images: Images, { name, pin }: Base): Promise<ImageDetail | undefined> {
  for (const reference of [baseTag(pin), name, `${repositoryOf(name)}@${pin}`, pin]) {
    const image = await images.inspect(reference);
    if (image !== undefined && isPinned(image, pin)) return image;
  }
  return undefined;
}

const isPinned = ({ id, digests }: ImageDetail, pin: string): boolean => id === pin || digests.includes(pin);

async function pullBase(images: Images, { name, pin }: Base): Promise<ImageDetail | { problem: Problem }> {
  const pulled = await images.pull(`${repositoryOf(name)}@${pin}`, pullLimitMs);
  if (pulled.ok) return pulled.value;
  const other = await images.inspect(name);
  return { problem: other === undefined ? unavailable({ name, pin }, pulled.problem) : changed({ name, pin }, other) };
}

const unavailable = ({ name, pin }: Base, cause: Problem): Problem => ({
  ...cause,
  code: 'BASE_UNAVAILABLE',
  what: `${name} is neither on the engine nor to be had from a registry`,
  why: `${pin} was asked for; ${cause.why ?? cause.what}`,
  safe: 'nothing was built or changed',
  next: `put the image on the engine, or pin the one it has: changeless lock --update`,
});

const changed = ({ name, pin }: Base, { id, digests }: ImageDetail): Problem => ({
  code: 'BASE_CHANGED',
  what: `${name} is not the image architecture.lock pins`,
  why: `pinned is ${pin}; the engine has ${digests[0] ?? id}, and no registry gives the pinned one`,
  safe: 'nothing was built or changed',
  next: 'changeless lock --update    and commit architecture.lock',
});
