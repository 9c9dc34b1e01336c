import { gatewayApp } from '../architecture/model.ts';
import type { Links } from '../forge/commit-status.ts';
import type { Forge } from '../forge/forge.ts';
import { GithubForge } from '../forge/github/github-forge.ts';
import { sendHttp } from '../http.ts';
import { addressesOf } from '../release/addresses.ts';
import type { ResolvedArchitecture } from '../release/resolve-environment.ts';
import { ownSecrets } from './channel-outlets.ts';
import type { Post } from './post.ts';

/** The forge of an environment; undefined where none is told of. */
export function openForge(post: Post, resolved: ResolvedArchitecture): Forge | undefined {
  const { forge } = resolved;
  if (forge === undefined) return undefined;
  const { repository, api, token } = forge;
  const open = ownSecrets(post, resolved);
  const webhook = webhookOf(resolved);
  return new GithubForge({
    repository,
    api,
    token: () => open(token),
    http: post.http ?? sendHttp,
    clock: post.clock,
    ...(webhook && { webhook }),
  });
}

/** Where the forge sends pushes. */
function webhookOf({ apps }: ResolvedArchitecture): { host: string; path: string } | undefined {
  const { hosts = [], gateway } = apps[gatewayApp] ?? {};
  const [name] = Object.entries(gateway?.webhooks ?? {}).find(([, { format }]) => format === 'github') ?? [];
  const [host] = hosts;
  return host === undefined || name === undefined ? undefined : { host, path: `/webhooks/${name}` };
}

/** What the gateway's API answers of releases and runs; nothing where there is none, or where no one else could reach it. */
export function linksOf(resolved: ResolvedArchitecture): Links {
  const { gateway } = resolved.apps[gatewayApp] ?? {};
  const [address] = addressesOf(resolved)[gatewayApp] ?? [];
  const host = address === undefined ? undefined : URL.parse(address)?.hostname;
  const isPublic = host !== undefined && host !== 'localhost' && !host.endsWith('.localhost');
  // Not every release that is read here knows of an API.
  const answers = gateway !== undefined && 'api' in gateway && isPublic;
  const linkTo = (path: string): string | undefined => (answers ? `${address}/api/v1/${path}` : undefined);
  return { release: (id) => linkTo(`releases/${id}`), run: (id) => linkTo(`runs/${encodeURIComponent(id)}`) };
}
