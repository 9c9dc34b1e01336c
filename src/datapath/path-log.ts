/** A server whose check does not pass. `check` is HAProxy's word for how far it came, or `DNS`. */
export interface FailingCheck {
  readonly server: string;
  /** What the check asks: `GET /healthz expecting 200`, `connect to port 5432`. */
  readonly asked: string;
  readonly check: string;
  /** The status that was answered, where one was. */
  readonly code?: number;
  readonly detail: string;
}

/** What a data path says about itself, in the order of its life: checking ⇄ healthy → (holding) → serving → draining. */
export type PathReport =
  | { readonly phase: 'checking'; readonly failing: readonly FailingCheck[] }
  | { readonly phase: 'healthy' }
  | { readonly phase: 'holding' }
  | { readonly phase: 'serving' }
  | {
      readonly phase: 'draining';
      /** Connections that still hold it. */
      readonly connections?: number;
      /** Connections that were cut at the drain limit. */
      readonly cut?: number;
    };

/** Reads one line of a data path's log. Undefined for everything that is not a report: HAProxy's own messages. */
export function parsePathLine(line: string): PathReport | undefined {
  return parseCut(line) ?? parseReport(parseObject(line));
}

/** HAProxy 2.6 says how many it cuts, for each frontend, only in words. */
function parseCut(line: string): PathReport | undefined {
  const cut = /: Proxy \S+ hard-stopped \((\d+) remaining conns will be closed\)/.exec(line)?.[1];
  return cut === undefined ? undefined : { phase: 'draining', cut: Number(cut) };
}

function parseReport(report: Fields): PathReport | undefined {
  switch (report['changeless']) {
    case 'checking':
      return { phase: 'checking', failing: list(report['failing']).map(parseFailing) };
    case 'healthy':
    case 'holding':
    case 'serving':
      return { phase: report['changeless'] };
    case 'draining':
      return { phase: 'draining', ...numeric('connections', report) };
    default:
      return undefined;
  }
}

function parseFailing(value: unknown): FailingCheck {
  const fields = isFields(value) ? value : {};
  const text = (key: string): string => (typeof fields[key] === 'string' ? fields[key] : '');
  return {
    server: text('server'),
    asked: text('asked'),
    check: text('check'),
    ...numeric('code', fields),
    detail: text('detail'),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function parseObject(line: string): Fields {
  if (!line.startsWith('{"changeless":')) return {};
  try {
    const value: unknown = JSON.parse(line);
    return isFields(value) ? value : {};
  } catch {
    return {}; // Cut short by a proxy that was killed.
  }
}

function numeric<Key extends string>(key: Key, fields: Fields): { readonly [K in Key]?: number } {
  const value = fields[key];
  return typeof value === 'number' ? ({ [key]: value } as { readonly [K in Key]?: number }) : {};
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
