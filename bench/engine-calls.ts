import http from 'node:http';

const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });

/** What an inspection tells that a creation needs. */
export type Inspected = {
  Id: string;
  Name: string;
  Image: string;
  Config: { Image: string; Labels: Record<string, string>; StopTimeout?: number };
  HostConfig: Record<string, unknown>;
  State: { Running: boolean; Pid: number; StartedAt: string };
};

type Called = { status: number; body: string };

/** One bare call of the Engine API over its socket; throws on every status from 400 that is not expected. */
export async function call(method: string, path: string, options: { json?: unknown; expected?: readonly number[] } = {}): Promise<Called> {
  const response = await send(method, path, options.json);
  response.setEncoding('utf8');
  let body = '';
  for await (const chunk of response) body += String(chunk);
  const status = response.statusCode ?? 0;
  if (status >= 400 && !options.expected?.includes(status)) throw new Error(`${method} ${path} answered ${status}: ${body.trim()}`);
  return { status, body };
}

export const ask = async <T>(path: string): Promise<T> => JSON.parse((await call('GET', path)).body) as T;

/** Resolves when the container's log holds a line with the text. */
export async function logSays(container: string, text: string): Promise<void> {
  const response = await send('GET', `/containers/${container}/logs?stdout=1&follow=1`, undefined);
  for await (const chunk of response) if (String(chunk).includes(text)) break;
  response.destroy();
}

function send(method: string, path: string, json: unknown): Promise<http.IncomingMessage> {
  const socketPath = process.env['DOCKER_HOST']?.replace(/^unix:\/\//, '') ?? '/var/run/docker.sock';
  const headers = json === undefined ? {} : { 'content-type': 'application/json' };
  // Calls that hold on for long get a connection of their own, as any client would do it.
  const own = /\/(logs|start|stop|wait)\b/.test(path) ? { agent: false as const } : { agent };
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath, method, path: `/v1.41${path}`, headers, ...own }, resolve);
    request.on('error', reject);
    request.end(json === undefined ? undefined : JSON.stringify(json));
  });
}

type Listed = { Id: string; Names: string[]; ImageID: string; State: string; Labels: Record<string, string> };

const labelled = (architecture: string): string =>
  `filters=${encodeURIComponent(JSON.stringify({ label: [`dev.changeless.architecture=${architecture}`] }))}`;

export const containersOf = (architecture: string): Promise<Listed[]> => ask<Listed[]>(`/containers/json?all=1&${labelled(architecture)}`);

export const inspect = (container: string): Promise<Inspected> => ask<Inspected>(`/containers/${container}/json`);

/** Removes all that an architecture has on the engine, its images included. */
export async function removeArchitecture(architecture: string): Promise<void> {
  await removeAllButImages(architecture);
  await removeImages(`changeless/${architecture}/`);
}

/** The controller first: it makes again what is missing. */
export async function removeAllButImages(architecture: string): Promise<void> {
  const gone = { expected: [404, 409] };
  const containers = await containersOf(architecture);
  for (const group of [containers.filter(isController), containers.filter((each) => !isController(each))])
    await sideBySide(group, ({ Id }) => call('DELETE', `/containers/${Id}?force=1&v=1`, gone));
  const networks = await ask<{ Id: string }[]>(`/networks?${labelled(architecture)}`);
  for (const { Id } of networks) await call('DELETE', `/networks/${Id}`, gone);
  const { Volumes: volumes } = await ask<{ Volumes: { Name: string }[] | null }>(`/volumes?${labelled(architecture)}`);
  for (const { Name } of volumes ?? []) await call('DELETE', `/volumes/${Name}?force=1`, gone);
}

/** Every image that bears its name in a label, those without a tag as well. */
export const imagesOf = (architecture: string): Promise<{ Id: string }[]> => ask(`/images/json?${labelled(architecture)}`);

/** Every tag that begins so. */
export async function imageTags(beginning: string): Promise<string[]> {
  const images = await ask<{ RepoTags: string[] | null }[]>('/images/json');
  return images.flatMap(({ RepoTags }) => RepoTags ?? []).filter((tag) => tag.startsWith(beginning));
}

/** Removes every tag that begins so. Again, because the engine refuses one of two that go with one image at the same moment. */
export async function removeImages(beginning: string): Promise<void> {
  for (let left = await imageTags(beginning), round = 0; left.length > 0 && round < 3; left = await imageTags(beginning), round += 1)
    await sideBySide(left, (tag) => call('DELETE', `/images/${tag}`, { expected: [404, 409, 500] }));
}

async function sideBySide<T>(things: readonly T[], work: (thing: T) => Promise<unknown>): Promise<void> {
  const waiting = [...things];
  const worker = async (): Promise<void> => {
    for (let thing = waiting.shift(); thing !== undefined; thing = waiting.shift()) await work(thing);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

const isController = ({ Labels }: Listed): boolean => Labels['dev.changeless.role'] === 'controller';
