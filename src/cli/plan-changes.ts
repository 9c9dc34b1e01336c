import { byCodeUnit } from '../canonical-json.ts';
import type { GenerationId } from '../digest.ts';
import type { UnitName } from '../events.ts';
import { diffReleases, explainReplacement } from '../release/diff.ts';
import type { Generations } from '../release/generation.ts';
import type { ReleaseInputs } from '../release/manifest.ts';
import { done, type Result } from '../result.ts';
import type { LiveUnit } from './live-state.ts';
import { type JobChange, planJobs } from './plan-jobs.ts';

export type Replacement = UnitName & { from?: GenerationId; to: GenerationId; why: string[] };

export type Change = {
  replace: Replacement[];
  keep: (UnitName & { generation: GenerationId })[];
  remove: (UnitName & { generation: GenerationId | null })[];
  jobs: JobChange[];
};

export type Comparing = {
  wanted: readonly (UnitName & { generation: GenerationId })[];
  units: readonly LiveUnit[];
  /** The live release's inputs; undefined when nothing is live or its manifest cannot be read. */
  before: ReleaseInputs | undefined;
  after: ReleaseInputs;
  environment: string;
};

/** Every unit of an environment in the generation a release says. */
export const wantedUnits = ({ core, apps, stores }: Generations) => [
  { kind: 'core' as const, name: 'core', generation: core.id },
  ...named(stores).map(({ name, id }) => ({ kind: 'store' as const, name, generation: id })),
  ...named(apps).map(({ name, id }) => ({ kind: 'app' as const, name, generation: id })),
];

const named = (generations: Generations['apps']) =>
  Object.entries(generations)
    .map(([name, { id }]) => ({ name, id }))
    .toSorted((a, b) => byCodeUnit(a.name, b.name));

/** What a release would replace, keep and remove of what runs, and why. Pure. */
export function planChanges({ wanted, units, before, after, environment }: Comparing): Result<Change> {
  const differences = before === undefined ? done([]) : diffReleases(before, after, environment);
  if (!differences.ok) return differences;
  const running = new Map(units.map((unit) => [`${unit.kind}/${unit.name}`, unit]));
  const change: Change = { replace: [], keep: [], remove: [], jobs: planJobs(before, after, differences.value) };
  for (const { kind, name, generation } of wanted) {
    const from = running.get(`${kind}/${name}`)?.generation;
    if (from === generation) change.keep.push({ kind, name, generation });
    else
      change.replace.push({
        kind,
        name,
        ...(from && { from }),
        to: generation,
        why: whyOf({ kind, name }, from, explainReplacement({ kind, name }, differences.value)),
      });
  }
  const names = new Set(wanted.map(({ kind, name }) => `${kind}/${name}`));
  for (const { kind, name, generation } of units)
    if (!names.has(`${kind}/${name}`)) change.remove.push({ kind, name, generation: generation ?? null });
  return done(change);
}

function whyOf({ kind, name }: UnitName, from: GenerationId | undefined, sentences: string[]): string[] {
  if (from === undefined) return [`no ${kind === 'core' ? 'core' : `${kind} ${name}`} runs yet`];
  return sentences.length > 0 ? sentences : ['what runs is not what the live release says'];
}
