import type { ComponentKey, GenerationId, ReleaseId } from '../digest.ts';
import type { Colour } from '../engine/engine.ts';

/** How much of an id is in a tag. Labels hold ids whole. */
const tagLength = 16;

/** All images of Changeless on an engine, for one listing. */
export const everyImage = 'changeless/*/*';

const inTag = (id: string): string => id.slice(0, tagLength);

const nameOf = (component: string): string => component.replaceAll('/', '.');

/** A component that passed its tests: the tag is given only then, so it is the evidence. */
export const componentTag = (architecture: string, component: string, key: ComponentKey): string =>
  `changeless/${architecture}/${nameOf(component)}:${inTag(key)}`;

/** A component that was built and has not passed its tests yet. */
export const untestedTag = (architecture: string, key: ComponentKey): string => `changeless/${architecture}/untested:${inTag(key)}`;

/** A service or store's server with its settings and files. `digest` is that of all that went into the layer. */
export const configuredTag = (architecture: string, component: string, digest: string): string =>
  `changeless/${architecture}/${nameOf(component)}.configured:${inTag(digest)}`;

export const pathTag = ({
  architecture,
  unit,
  generation,
  colour,
}: {
  architecture: string;
  unit: string;
  generation: GenerationId;
  colour: Colour;
}): string => `changeless/${architecture}/${unit}.path:${inTag(generation)}-${colour}`;

/** An agent with a commit's tree. `digest`: of the agent's image and the tree. */
export const sourceTag = (architecture: string, agent: string, digest: string): string =>
  `changeless/${architecture}/agent.${agent}.source:${inTag(digest)}`;

/** The release image; the environment `local` has the plain tag. */
export const releaseTag = (architecture: string, release: ReleaseId, environment: string): string =>
  `changeless/${architecture}/release:${inTag(release)}${environment === 'local' ? '' : `-${environment}`}`;

export type SystemImage = 'proxy' | 'sandbox' | 'controller' | 'git' | 'builder';

export const systemTag = (image: SystemImage, key: ComponentKey): string => `changeless/system/${image}:${inTag(key)}`;

/** The name under which a rewritten Dockerfile finds a pinned base. */
export const baseTag = (pin: string): string => `changeless/base:${inTag(pin.replace(/^sha256:/, ''))}`;
