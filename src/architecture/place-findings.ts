import type { Finding, Problem } from '../problem.ts';
import type { KeyLocator } from './validate.ts';

/** The same problem, each of its findings that names a key with the place of that key in the source. */
export function placeFindings(problem: Problem, locate: KeyLocator): Problem {
  return problem.findings ? { ...problem, findings: problem.findings.map((finding) => placed(finding, locate)) } : problem;
}

function placed(finding: Finding, locate: KeyLocator): Finding {
  const place = finding.place ?? (finding.key === undefined ? undefined : locate(finding.key.split('.'), 'key'));
  return { ...finding, ...(place && { place }) };
}
