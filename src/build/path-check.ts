import { access, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { PathConfig } from '../datapath/path-config.ts';
import { digestOf, type ComponentKey, type ImageId } from '../digest.ts';
import type { Images, OnceResult, TreeFile } from '../engine/image.ts';
import { labels } from '../engine/labels.ts';
import type { Problem, Finding } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import type { KeyLocator } from '../architecture/validate.ts';
import { pathFindings, type Refused, type UnitPlace } from './path-findings.ts';
import { certificatePath, configFiles, type PathImage } from './path-images.ts';
import type { SetAside } from './set-aside.ts';

type Check = {
  paths: readonly PathImage[];
  proxy: { id: ImageId; key: ComponentKey };
  cacheFolder: string;
  /** Where in the source a mistake is; asked for only when there is one. */
  place: UnitPlace;
  locator: () => Promise<KeyLocator>;
  setAside: SetAside;
  signal?: AbortSignal;
};

const checkLimitMs = 300_000;
const folder = '/tmp/changeless-check';
const refused = 'changeless-refused';

/** Every folder's configurations; what the proxy says of a bad one follows a line that names it. */
const script = `for folder in ${folder}/*; do
  for name in waiting proxy leaving way-out; do
    [ -e "$folder/$name.cfg" ] || continue
    said=$(haproxy -c -f "$folder/$name.cfg" 2>&1) || printf '${refused} %s %s\\n%s\\n' "\${folder##*/}" "$name" "$said"
  done
done`;

/**
 * Has the proxy itself check configurations, all in one container. What passed once is remembered, whichever generation
 * it was of: their ids are names, not policy. PATH_INVALID names the key, its place and what the proxy said, unless all that was refused could be set aside.
 */
export async function checkPaths(images: Images, check: Check): Promise<Result<void>> {
  const marks = await unchecked(check.paths, path.join(check.cacheFolder, 'checked-paths'), check.proxy.key);
  if (marks.length === 0) return done(undefined);
  const result = await askProxy(images, marks, check);
  const bad = refusedOf(
    result.stdout,
    marks.map(({ item }) => item),
  );
  if (bad.length > 0 && !(await takenAside(bad, check, result.stderr)))
    return failed(invalid(pathFindings(bad, check.place, await check.locator()), result.stderr));
  if (result.exitCode !== 0) return failed(invalid([], result.stderr));
  await mkdir(path.join(check.cacheFolder, 'checked-paths'), { recursive: true });
  const good = marks.filter(({ item }) => !bad.some(({ path: refusedPath }) => refusedPath === item));
  await Promise.all(good.map(async ({ mark }) => await writeFile(mark, '')));
  return done(undefined);
}

/** Each app with what the proxy said of it alone. */
async function takenAside(bad: readonly Refused[], { setAside, place, locator }: Check, said: string): Promise<boolean> {
  const locate = await locator();
  const byUnit = [...Map.groupBy(bad, ({ path: { unit } }) => (unit.kind === 'app' ? unit.name : '')).entries()];
  return byUnit.every(([app, own]) => app !== '' && setAside.takes(invalid(pathFindings(own, place, locate), said), [app]));
}

async function askProxy(images: Images, marks: readonly Marked[], { proxy, signal }: Check): Promise<OnceResult> {
  const certificate = await throwawayFor(marks);
  return await images.runOnce({
    image: proxy.id,
    command: ['/bin/sh', '-c', script],
    files: [...uniqueByPath(marks.flatMap(({ item: { config } }, index) => checkedFiles(`${folder}/${index}`, config))), ...certificate],
    environment: { CHANGELESS_INCARNATION: 'check' },
    labels: { [labels.role]: 'check' },
    network: 'none',
    // Docker copies nothing into a read-only container.
    readOnly: false,
    limitMs: checkLimitMs,
    ...(signal && { signal }),
  });
}

/** What is in the path's image, and the way out's configuration, which is in an image of its own. */
const checkedFiles = (own: string, config: PathConfig): readonly TreeFile[] => [
  ...configFiles(own, config),
  ...(config.wayOut === undefined ? [] : [{ path: `${own}/way-out.cfg`, contents: config.wayOut }]),
];

const uniqueByPath = (files: readonly TreeFile[]): readonly TreeFile[] => [...new Map(files.map((file) => [file.path, file])).values()];

/** No release holds a certificate in the open, and without one the proxy would refuse what has TLS: this one nobody trusts, or keeps. */
async function throwawayFor(marks: readonly Marked[]): Promise<readonly TreeFile[]> {
  if (!marks.some(({ item: { config } }) => config.proxy.includes(certificatePath))) return [];
  const { issueFor, makeAuthority } = await import('../certificates/issue.ts');
  const now = new Date();
  const { certificate, key } = await issueFor(['check.localhost'], await makeAuthority('check', now), now);
  return [
    { path: certificatePath, contents: certificate },
    { path: `${certificatePath}.key`, contents: key.revealText() },
  ];
}

type Marked = { item: PathImage; mark: string };

/** One of each text that has no mark yet. */
async function unchecked(paths: readonly PathImage[], marksFolder: string, proxyKey: ComponentKey): Promise<Marked[]> {
  const byMark = new Map<string, PathImage>();
  for (const item of paths) byMark.set(path.join(marksFolder, digestOf({ proxyKey, ...withoutIds(item) })), item);
  const marked = await Promise.all([...byMark].map(async ([mark, item]) => ({ mark, item, isThere: await isThere(mark) })));
  return marked.filter((each) => !each.isThere);
}

function withoutIds({ unit, config, generation: { id }, colour }: PathImage): PathConfig {
  const general = (text: string): string =>
    text.replaceAll(id.slice(0, 12), 'generation').replaceAll(`.${colour}:`, '.colour:').replace(`CHANGELESS_APP ${unit.name}`, 'an app');
  return { ...config, waiting: general(config.waiting), proxy: general(config.proxy.replaceAll(id, 'generation')) };
}

const isThere = async (file: string): Promise<boolean> =>
  await access(file).then(
    () => true,
    () => false,
  );

function refusedOf(output: string, paths: readonly PathImage[]): Refused[] {
  const [, ...parts] = output.split(`${refused} `);
  return parts.flatMap((part) => {
    const [head = '', ...lines] = part.trimEnd().split('\n');
    const [index, name = ''] = head.split(' ');
    const path = paths[Number(index)];
    return path ? [{ path, name, lines }] : [];
  });
}

const invalid = (findings: readonly Finding[], said: string): Problem => ({
  code: 'PATH_INVALID',
  what: `the proxy refuses the configuration of ${[...new Set(findings.map(unitOf))].join(', ') || 'a data path'}`,
  safe: 'nothing that runs was touched',
  next: 'correct the values of that unit in architecture.ts; where they look right, it is a bug of Changeless',
  findings,
  lines: said.split('\n').filter((line) => line !== ''),
});

/** `apps.catalog` of a key in it, also where an environment says it. */
const unitOf = ({ key = '' }: Finding): string => /(?:apps|stores)\.[\w-]+|core/.exec(key)?.[0] ?? key;
