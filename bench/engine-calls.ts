import http from 'node:http';
import { mapBounded } from '../src/bounded.ts';

const AT_ONCE = 8;
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
  const response = await send('GET', `/containers/${container}/logs?stdout=1&stderr=1&follow=1`, undefined);
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

export const networksOf = (architecture: string): Promise<{ Id: string; Name: string }[]> => ask(`/networks?${labelled(architecture)}`);

export async function volumesOf(architecture: string): Promise<{ Name: string }[]> {
  const { Volumes } = await ask<{ Volumes: { Name: string }[] | null }>(`/volumes?${labelled(architecture)}`);
  return Volumes ?? [];
}

export async function create(name: string, json: object): Promise<string> {
  const { body } = await call('POST', `/containers/create?name=${name}`, { json });
  return (JSON.parse(body) as { Id: string }).Id;
}

/** Starts a container that was made as another one was. */
export async function startLike({ Config, HostConfig, Image }: Inspected, name: string, more: object = {}): Promise<string> {
  const container = await create(name, { Image, Labels: Config.Labels, StopTimeout: Config.StopTimeout, HostConfig, ...more });
  await call('POST', `/containers/${container}/start`);
  return container;
}

/** A container of the release image that costs the engine what a controller costs, and does nothing. */
export const startIdleController = (controller: Inspected, name: string): Promise<string> =>
  startLike({ ...controller, HostConfig: { ...controller.HostConfig, RestartPolicy: { Name: 'no' } } }, name, {
    Entrypoint: ['node', '-e', "process.once('SIGTERM',()=>process.exit());setInterval(()=>{},1e6)"],
    Cmd: [],
  });

/** Where a container is in its first network; throws when it is in none. */
export async function addressOf(container: string): Promise<string> {
  type Networked = { NetworkSettings: { Networks: Record<string, { IPAddress: string }> } };
  const { NetworkSettings } = await ask<Networked>(`/containers/${container}/json`);
  const address = Object.values(NetworkSettings.Networks)[0]?.IPAddress;
  if (!address) throw new Error(`${container} does not run`);
  return address;
}

export const inspect = (container: string): Promise<Inspected> => ask<Inspected>(`/containers/${container}/json`);

/** Removes all that an architecture has on the engine, its images included. */
export async function removeArchitecture(architecture: string): Promise<void> {
  await removeAllButImages(architecture);
  await removeImages(`changeless/${architecture}/`);
}

/**
 * The controller first: it makes again what is missing. Places last and one by one: where many leave one network at once, Docker 20.10
 * may count one of them for ever, and then refuses to remove the network.
 */
export async function removeAllButImages(architecture: string): Promise<void> {
  const gone = { expected: [404, 409] };
  const containers = await containersOf(architecture);
  const remove = ({ Id }: Listed) => call('DELETE', `/containers/${Id}?force=1&v=1`, gone);
  await mapBounded(containers.filter(isController), AT_ONCE, remove);
  await mapBounded(
    containers.filter((each) => !isController(each) && !isPlace(each)),
    AT_ONCE,
    remove,
  );
  for (const place of containers.filter(isPlace)) await remove(place);
  for (const { Id } of await networksOf(architecture)) await call('DELETE', `/networks/${Id}`, gone);
  for (const { Name } of await volumesOf(architecture)) await call('DELETE', `/volumes/${Name}?force=1`, gone);
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
    await mapBounded(left, AT_ONCE, (tag) => call('DELETE', `/images/${tag}`, { expected: [404, 409, 500] }));
}

const isPlace = ({ Labels }: Listed): boolean => Labels['dev.changeless.role'] === 'sandbox';

const isController = ({ Labels }: Listed): boolean => Labels['dev.changeless.role'] === 'controller';
