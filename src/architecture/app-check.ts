import type { Mistake } from './issues.ts';
import { isRecord, type KeyPath, keyText, valueAt } from './key-path.ts';
import { at, children, endsOf, last, texts, unknownName } from './written.ts';

/** One of an app's services is its entry, or it lives elsewhere. */
export function entries(root: unknown, app: KeyPath): Mistake[] {
  const path = [...app, 'services'];
  if (valueAt(root, [...app, 'elsewhere']) !== undefined) return servicesBesideElsewhere(root, app);
  const written = valueAt(root, path);
  if (written === undefined && isRecord(valueAt(root, app))) return [at('value', app, 'expected services, or elsewhere, found neither')];
  if (!isRecord(written)) return [];
  if (Object.keys(written).length === 0) return [at('value', path, 'expected at least one service, found none')];
  const ends = endsOf(root, app);
  const said = children(root, path).filter((service) => ends.includes(last(service)) && valueAt(root, [...service, 'entry']) === true);
  if (said.length > 1) return moreEntries(said);
  if (said.length === 1) return [];
  const [only, ...more] = ends;
  if (only === undefined) return [at('value', [...app, 'stages'], 'expected a service behind them that is no stage itself, found none')];
  if (more.length > 0) return [at('value', path, `expected entry: true in one of ${ends.join(', ')}, found it in none`)];
  return valueAt(root, [...path, only, 'entry']) === false
    ? [at('value', [...path, only, 'entry'], 'expected true in the only service of an app, found false')]
    : [];
}

function moreEntries([one, ...others]: readonly KeyPath[]): Mistake[] {
  const first = [...(one ?? []), 'entry'];
  return others.map((service) => ({
    ...at('value', [...service, 'entry'], `expected one entry in an app, found another at ${keyText(first)}`),
    other: first,
  }));
}

function servicesBesideElsewhere(root: unknown, app: KeyPath): Mistake[] {
  const other = [...app, 'elsewhere'];
  return endsOf(root, app).map((name) => ({
    ...at(
      'key',
      [...app, 'services', name],
      `expected no service but stages in an app that lives elsewhere, found ${name} beside ${keyText(other)}`,
    ),
    other,
  }));
}

/** Each stage is a service of the app, once, and not the one where requests arrive. */
export function misusedStages(root: unknown, app: KeyPath): Mistake[] {
  const services = children(root, [...app, 'services']).map(last);
  const stages = texts(root, [...app, 'stages']);
  return stages.flatMap(({ text, path }, index) => {
    if (!services.includes(text)) return [at('value', path, unknownName('a service of the app', text, services))];
    const first = stages.findIndex((stage) => stage.text === text);
    const other = stages[first]?.path;
    if (first < index && other)
      return [{ ...at('value', path, `expected each stage once, found ${text} again, which is at ${keyText(other)}`), other }];
    const entry = [...app, 'services', text, 'entry'];
    if (valueAt(root, entry) !== true) return [];
    return [{ ...at('value', entry, `expected false in a stage, which is at ${keyText(path)}, found true`), other: path }];
  });
}

/** `app`: where an app is written, or where an environment changes one. */
export function misplacedElsewhere(root: unknown, app: KeyPath): Mistake[] {
  const path = [...app, 'elsewhere'];
  const elsewhere = valueAt(root, path);
  if (!isRecord(elsewhere)) return [];
  const own = app.slice(app.indexOf('apps'));
  if (isRecord(valueAt(root, own)) && valueAt(root, [...own, 'elsewhere']) === undefined)
    return [at('value', path, `expected elsewhere in ${keyText(own)} too, which has services of its own`)];
  const { host, tls } = elsewhere;
  const isAddress = typeof host === 'string' && /^[0-9.]+$/.test(host);
  const isNamed = isRecord(tls) && tls['name'] !== undefined;
  return isAddress && tls !== undefined && !isNamed
    ? [at('value', [...path, 'tls'], 'expected { name: … }, for a certificate is for a name, found none beside an address')]
    : [];
}
