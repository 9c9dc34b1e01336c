import type { Finding, Problem, ProblemCode } from '../problem.ts';

/** A mistake, with the code it would have if it were alone. */
export type CodedFinding = { code: FindingCode; finding: Finding };

type FindingCode = Extract<ProblemCode, 'DOCKERFILE_MISSING' | 'REPOSITORY_UNPINNED' | 'BASE_UNPINNED'>;

/** What is to be mended first comes first; one problem carries the findings of all. */
const words: Record<FindingCode, (count: number) => string> = {
  DOCKERFILE_MISSING: (count) =>
    count === 1 ? 'a component has no Dockerfile in the commit' : `${count} components have no Dockerfile in the commit`,
  REPOSITORY_UNPINNED: (count) => (count === 1 ? 'another repository is not pinned' : `${count} other repositories are not pinned`),
  BASE_UNPINNED: (count) => (count === 1 ? 'an external image is not pinned' : `external images are not pinned in ${count} places`),
};

const order = ['DOCKERFILE_MISSING', 'REPOSITORY_UNPINNED', 'BASE_UNPINNED'] as const;

/** All findings as one problem, under the code of the most basic one. */
export function findingsProblem(findings: readonly CodedFinding[]): Problem {
  const present = order.filter((code) => findings.some((finding) => finding.code === code));
  const code = present[0] ?? 'DOCKERFILE_MISSING';
  const what = present.map((each) => words[each](findings.filter((finding) => finding.code === each).length)).join('; ');
  return {
    code,
    what,
    safe: 'nothing was built or changed',
    next:
      code === 'DOCKERFILE_MISSING'
        ? 'correct the folder in architecture.ts, or commit the Dockerfile'
        : 'changeless lock    and commit architecture.lock',
    findings: present.flatMap((each) => findings.filter((finding) => finding.code === each)).map(({ finding }) => finding),
  };
}
