import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { endpoints, type Endpoint } from '../../src/api/endpoints.ts';
import { openApi } from '../../src/api/openapi.ts';
import { findEndpoint } from '../../src/gateway/api/find-endpoint.ts';

/** The description, with nothing let through that it does not name: what is told has to be described. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const all = Object.fromEntries(Object.entries(value).map(([name, each]) => [name, closed(each)]));
  return all['type'] === 'object' && all['properties'] && !('additionalProperties' in all) ? { ...all, additionalProperties: false } : all;
}

const validator = new Ajv2020({ strict: false, allErrors: true });
(addFormats as unknown as (ajv: Ajv2020) => void)(validator);
validator.addSchema({ $id: 'api', ...(closed(openApi()) as object) });

const pointed = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** Checks an answer, or what an event of a stream holds, against the description of the API. */
export function assertDescribed(
  method: string,
  path: string,
  { status, type, value }: { status: number; type: string; value: unknown },
): void {
  const found = findEndpoint(method, path);
  // What is at no path is a problem all the same.
  const place = found.kind === 'endpoint' ? pathOf(found.endpoint, status, type) : 'components/schemas/Problem';
  const validate = validator.getSchema(`api#/${place}`);
  assert.ok(validate, `${method} ${path} may be answered ${status} with ${type}`);
  assert.ok(validate(value), `${JSON.stringify(value)}: ${validator.errorsText(validate.errors)}`);
}

function pathOf(endpoint: Endpoint, status: number, type: string): string {
  const [path, content] = [pointed(endpoint.path), pointed(type)];
  if (type === 'application/problem+json') {
    assert.ok(
      validator.getSchema(`api#/paths/${path}/${endpoint.method.toLowerCase()}/responses/${status}`),
      `${endpoint.path} may be answered ${status}`,
    );
    return 'components/schemas/Problem';
  }
  return `paths/${path}/${endpoint.method.toLowerCase()}/responses/${status}/content/${content}/schema`;
}

/** Every endpoint with a path of its own, parameters filled in. */
export const samplePaths = Object.values<Endpoint>(endpoints).map((endpoint) => ({
  endpoint,
  path: endpoint.path
    .replace('{release}', 'a'.repeat(64))
    .replace(/\{(run|command|token)\}/, 'some-1')
    .replace('{job}', 'test'),
}));
