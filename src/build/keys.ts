import { componentKey } from '../release/component-key.ts';
import type { Component, ComponentInputs } from '../release/manifest.ts';
import { done, failed, type Result } from '../result.ts';
import { builder, type KeysRequest } from './build-context.ts';
import { readComponents, type ReadComponent } from './component-references.ts';
import { findingsProblem, type CodedFinding } from './findings.ts';
import { pinOf } from './pins.ts';
import type { FoundReference } from './reference-cache.ts';

/** A component with its key. `file`: its Dockerfile's path in its repository. */
export type KeyedComponent = { name: string; component: Component; file: string };

/** The inputs and key of every component, sorted by name. Everything that is wrong is reported at once. */
export async function planComponents(request: KeysRequest): Promise<Result<KeyedComponent[]>> {
  const read = await readComponents(request);
  if (!read.ok) return read;
  const results = read.value.map((each) => (each.ok ? keyOf(request, each.value) : failed([each.problem])));
  const findings = results.flatMap((result) => (result.ok ? [] : result.problem));
  return findings.length > 0 ? failed(findingsProblem(findings)) : done(results.flatMap((result) => (result.ok ? [result.value] : [])));
}

function keyOf(request: KeysRequest, read: ReadComponent): Result<KeyedComponent, CodedFinding[]> {
  const {
    named: { name, source },
    tree,
    file,
    references,
  } = read;
  const unpinned = references.filter((reference) => pinOf(request.evaluated.lock, reference.name) === undefined);
  if (unpinned.length > 0) return failed(unpinned.map((reference) => unpinnedFinding(file, reference)));
  const inputs = inputsOf(request, read);
  const component = { key: componentKey(inputs), folder: source.folder, ...(tree.foreign && { repository: tree.foreign }), inputs };
  return done({ name, component, file });
}

const inputsOf = (
  { platform, evaluated: { lock } }: KeysRequest,
  { named: { source }, tree, references }: ReadComponent,
): ComponentInputs => ({
  tree: tree.object,
  dockerfile: source.dockerfile,
  ...(source.target !== undefined && { target: source.target }),
  arguments: source.arguments,
  tests: source.tests,
  bases: Object.fromEntries(references.map(({ name }) => [name, pinOf(lock, name) ?? ''])),
  platform,
  builder,
});

function unpinnedFinding(file: string, { name, line, column }: FoundReference): CodedFinding {
  const what =
    name === '' ? 'the name of an image is empty: its build argument has no value' : `${name} is not pinned by architecture.lock`;
  return { code: 'BASE_UNPINNED', finding: { place: { file, line, column, text: name }, what } };
}
