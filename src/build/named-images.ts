import { done, failed, type Result } from '../result.ts';
import type { KeysRequest } from './build-context.ts';
import { readComponents } from './component-references.ts';
import { findingsProblem } from './findings.ts';

/** Every external image the Dockerfiles of an architecture name, once each, pinned or not. */
export async function namedImages(request: KeysRequest): Promise<Result<string[]>> {
  const read = await readComponents(request);
  if (!read.ok) return read;
  const findings = read.value.flatMap((each) => (each.ok ? [] : [each.problem]));
  if (findings.length > 0) return failed(findingsProblem(findings));
  const names = read.value.flatMap((each) => (each.ok ? each.value.references : [])).map(({ name }) => name);
  return done([...new Set(names)].filter((name) => name !== ''));
}
