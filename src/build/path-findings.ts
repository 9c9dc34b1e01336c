import { type KeyPath, keyText } from '../architecture/key-path.ts';
import type { KeyLocator } from '../architecture/validate.ts';
import { keyOfLine } from '../datapath/policy-rule.ts';
import type { Finding } from '../problem.ts';
import type { PathImage } from './path-images.ts';

/** What the proxy said of one configuration: which one, and its lines. */
export type Refused = { path: PathImage; name: string; lines: readonly string[] };

/** Where a unit's values are written: in the architecture, or in an environment that says otherwise. */
export type UnitPlace = (path: PathImage, key: KeyPath) => KeyPath;

/**
 * What the proxy refused, at the keys it was written at: its first word about each, for what it says next follows from that. Both
 * colours have the same mistakes.
 */
export function pathFindings(refused: readonly Refused[], place: UnitPlace, locate: KeyLocator): Finding[] {
  const findings = refused.flatMap((each) => alertsOf(each).map((alert) => findingOf(each, alert, { place, locate })));
  return [...new Map(findings.toReversed().map((finding) => [finding.key, finding])).values()].toReversed();
}

type Alert = { line?: number; what: string };

/** Its alerts, without the place they were checked at; all it said where there are none. */
function alertsOf({ lines }: Refused): Alert[] {
  const alerts = lines.flatMap((text): Alert[] => {
    const match = /\[ALERT\].*? parsing \[[^\]]*:(\d+)\] : (.*)$/.exec(text);
    return match ? [{ line: Number(match[1]), what: match[2] ?? '' }] : [];
  });
  if (alerts.length > 0) return alerts;
  const said = lines.filter((line) => line.includes('[ALERT]'));
  return [{ what: (said.length > 0 ? said : lines).map((line) => line.replaceAll(/\/tmp\/changeless-check\/\d+\//g, '')).join(' ') }];
}

function findingOf({ path, name }: Refused, alert: Alert, { place, locate }: { place: UnitPlace; locate: KeyLocator }): Finding {
  const { unit, config } = path;
  const text = name === 'proxy' ? config.proxy : '';
  const key = alert.line === undefined ? undefined : keyOfLine(text, alert.line)?.map(position);
  const what = `${name}.cfg: ${alert.what}`;
  if (!key) return { key: unit.kind === 'core' ? 'core' : `${unit.kind}s.${unit.name}`, what };
  const whole = place(path, key);
  const written = locate(whole, 'value');
  return { key: keyText(whole), what: `the proxy says: ${alert.what}`, ...(written && { place: written }) };
}

const lists = new Set(['routes', 'redirects', 'access']);

const position = (part: string, index: number, parts: readonly string[]): string | number =>
  lists.has(parts[index - 1] ?? '') ? Number(part) : part;
