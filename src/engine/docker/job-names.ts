import { digestOfBytes } from '../../digest.ts';
import type { JobStepName } from '../job-steps.ts';
import { labels } from '../labels.ts';
import { engineName, ofArchitecture } from './names.ts';
import type { Labels, ListedContainer } from './vendor.ts';

/** What a container, network or volume of a job is, in its label `role`. A place holds a step's network, and watches its folder. */
export type JobRole = 'job-step' | 'job-place' | 'job-ground' | 'job-cache';

export const isOfJobs = (from: Labels | null): boolean => from?.[labels.role]?.startsWith('job-') === true;

/** The network of all steps of the architecture. */
export const jobsNetwork = 'jobs';

/** A step's key holds what no name of the engine's may, so it is told apart by its digest. */
export const stepName = ({ run, step }: JobStepName): string =>
  `job.${run}.${step.replaceAll(/[^A-Za-z0-9_.-]/g, '-').replace(/^-+/, '')}.${digestOfBytes(step).slice(0, 8)}`;

export const placeName = (name: JobStepName): string => `${stepName(name)}.place`;

export const folderVolume = (architecture: string, name: JobStepName): string => engineName(architecture, `${stepName(name)}.work`);

export const cacheVolume = (architecture: string, cache: string): string => engineName(architecture, `cache.${cache}`);

export const ofRole = (architecture: string, role: JobRole): string[] => [ofArchitecture(architecture), `${labels.role}=${role}`];

/** The run and the step that a container says it is of. */
export const jobStepNameOf = ({ Labels }: Pick<ListedContainer, 'Labels'>): JobStepName => ({
  run: (Labels?.[labels.run] ?? '') as JobStepName['run'],
  step: Labels?.[labels.step] ?? '',
});
