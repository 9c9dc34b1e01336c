/** Where an engine listens: a unix socket of this host, or a port without TLS. */
export type DockerAddress = { text: string; socketPath: string } | { text: string; host: string; port: number };

export const defaultSocket = '/var/run/docker.sock';

/** Reads `unix://<socket>` or `tcp://<host>[:<port>]`; undefined when it is neither. */
export function dockerAddress(text: string): DockerAddress | undefined {
  const [, scheme, rest] = /^(unix|tcp|http):\/\/(.+)$/.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) return undefined;
  if (scheme === 'unix') return { text, socketPath: rest };
  if (!URL.canParse(`http://${rest}`)) return undefined;
  const { hostname, port } = new URL(`http://${rest}`);
  return { text, host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 2375 : Number(port) };
}

/** DOCKER_HOST, or else the default socket. */
export const defaultAddress = (): string => process.env['DOCKER_HOST'] || `unix://${defaultSocket}`;
