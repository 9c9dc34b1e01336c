import { endpoints, type Endpoint, type EndpointName } from '../../api/endpoints.ts';

export type Found =
  | { kind: 'endpoint'; name: EndpointName; endpoint: Endpoint; parameters: Readonly<Record<string, string>>; allow: readonly string[] }
  | { kind: 'no-path' }
  | { kind: 'no-method'; allow: readonly string[] };

/** What a request's path and method ask for. A segment is compared decoded; one that cannot be decoded is nothing's. */
export function findEndpoint(method: string, path: string): Found {
  const all = Object.entries<Endpoint>(endpoints).flatMap(([name, endpoint]) => {
    const parameters = matched(endpoint.path, path);
    return parameters ? [{ name: name as EndpointName, endpoint, parameters, literals: literalsOf(endpoint.path) }] : [];
  });
  // `/events/stream` is not the event called stream.
  const most = Math.max(0, ...all.map(({ literals }) => literals));
  const there = all.filter(({ literals }) => literals === most);
  if (there.length === 0) return { kind: 'no-path' };
  const wanted = method === 'HEAD' ? 'GET' : method;
  const found = there.find(({ endpoint }) => endpoint.method === wanted);
  const methods = there.map(({ endpoint }) => endpoint.method);
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'];
  if (!found) return { kind: 'no-method', allow };
  return { kind: 'endpoint', name: found.name, endpoint: found.endpoint, parameters: found.parameters, allow };
}

const literalsOf = (path: string): number => path.split('/').filter((segment) => !segment.startsWith('{')).length;

function matched(pattern: string, path: string): Record<string, string> | undefined {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  if (wanted.length !== given.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const [, name] = /^\{(\w+)\}$/.exec(segment) ?? [];
    const value = decoded(given[index] ?? '');
    if (name === undefined ? segment !== given[index] : value === undefined) return undefined;
    if (name !== undefined) parameters[name] = value ?? '';
  }
  return parameters;
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
