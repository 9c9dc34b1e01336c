import { access, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { PathConfig } from '../datapath/path-config.ts';
import { digestOf, type ComponentKey, type ImageId } from '../digest.ts';
import type { AssembleRequest, Images } from '../engine/image.ts';
import { labels } from '../engine/labels.ts';
import type { Problem, Finding } from '../problem.ts';
import { done, failed, type Result } from '../result.ts';
import type { KeyLocator } from '../architecture/validate.ts';
import { pathFindings, type Refused, type UnitPlace } from './path-findings.ts';
import { certificatePath, configFiles, type PathImage } from './path-images.ts';

type Check = {
  paths: readonly PathImage[];
  proxy: { id: ImageId; key: ComponentKey };
  cacheFolder: string;
  /** Where in the source a mistake is; asked for only when there is one. */
  place: UnitPlace;
  locator: () => Promise<KeyLocator>;
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
 * it was of: their ids are names, not policy. PATH_INVALID names the key, its place and what the proxy said.
 */
export async function checkPaths(images: Images, { paths, proxy, cacheFolder, signal, place, locator }: Check): Promise<Result<void>> {
  const marks = await unchecked(paths, path.join(cacheFolder, 'checked-paths'), proxy.key);
  if (marks.length === 0) return done(undefined);
  const result = await images.runOnce({
    image: proxy.id,
    command: ['/bin/sh', '-c', script],
    files: [
      ...uniqueByPath(marks.flatMap(({ item: { config } }, index) => checkedFiles(`${folder}/${index}`, config))),
      ...(marks.some(({ item: { config } }) => config.proxy.includes(certificatePath)) ? await throwaway() : []),
    ],
    environment: { CHANGELESS_INCARNATION: 'check' },
    labels: { [labels.role]: 'check' },
    network: 'none',
    // Docker copies nothing into a read-only container.
    readOnly: false,
    limitMs: checkLimitMs,
    ...(signal && { signal }),
  });
  const bad = refusedOf(
    result.stdout,
    marks.map(({ item }) => item),
  );
  if (bad.length > 0) return failed(invalid(pathFindings(bad, place, await locator()), result.stderr));
  if (result.exitCode !== 0) return failed(invalid([], result.stderr));
  await mkdir(path.join(cacheFolder, 'checked-paths'), { recursive: true });
  await Promise.all(marks.map(async ({ mark }) => await writeFile(mark, '')));
  return done(undefined);
}

/** What is in the path's image, and the way out's configuration, which is in an image of its own. */
const checkedFiles = (own: string, config: PathConfig): AssembleRequest['files'] => [
  ...configFiles(own, config),
  ...(config.wayOut === undefined ? [] : [{ path: `${own}/way-out.cfg`, contents: config.wayOut }]),
];

const uniqueByPath = (files: AssembleRequest['files']): AssembleRequest['files'] => [
  ...new Map(files.map((file) => [file.path, file])).values(),
];

/** No release holds a certificate in the open, and without one the proxy would refuse what has TLS: this one nobody trusts, or keeps. */
async function throwaway(): Promise<AssembleRequest['files']> {
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

function withoutIds({ config, generation: { id }, colour }: PathImage): PathConfig {
  const general = (text: string): string => text.replaceAll(id.slice(0, 12), 'generation').replaceAll(`.${colour}:`, '.colour:');
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
const unitOf = ({ key = '' }: Finding): string => /(?:apps|stores|core)s?\.[\w-]+/.exec(key)?.[0] ?? key;
