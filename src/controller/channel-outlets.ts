import type { Channel } from '../architecture/model.ts';
import { channelOutlet } from '../notify/channel-outlet.ts';
import type { Outlet } from '../notify/outlet.ts';
import type { ResolvedArchitecture } from '../release/resolve-environment.ts';
import { sealedValue } from '../release/secret-references.ts';
import { done, failed, type Result } from '../result.ts';
import type { Secret } from '../secret.ts';
import { secretOpener } from '../secrets/open-secret.ts';
import { sendHttp } from '../http.ts';
import type { Post } from './post.ts';

/** Opens a secret of the release for the controller itself; when it cannot be, words that say why. */
export type OpenOwn = (secret: string) => Promise<Result<Secret, string>>;

export function ownSecrets({ manifest, openSecret }: Post, { secrets = {} }: ResolvedArchitecture): OpenOwn {
  const open = openSecret ?? secretOpener(async () => undefined);
  return async (secret) => {
    const version = secrets[secret]?.version ?? 0;
    const opened = await open({ secret, version, sealed: sealedValue(manifest.inputs.secrets, { secret, version }) });
    return opened.ok ? opened : failed(opened.problem.what);
  };
}

/** The channels of an architecture where it runs. */
export function channelOutlets(post: Post, resolved: ResolvedArchitecture): Outlet[] {
  const open = ownSecrets(post, resolved);
  const addressOf = async ({ webhook }: Channel): Promise<Result<string, string>> => {
    if (typeof webhook === 'string') return done(webhook);
    const opened = await open(webhook.secret);
    if (!opened.ok) return opened;
    const text = opened.value.revealText().trim();
    return URL.canParse(text) ? done(text) : failed(`the value of secret ${webhook.secret} is no address`);
  };
  return Object.entries(resolved.channels ?? {}).map(([name, channel]) =>
    channelOutlet({
      name,
      architecture: resolved.name,
      environment: post.environment,
      address: () => addressOf(channel),
      key: async () => (channel.secret === undefined ? done(undefined) : open(channel.secret)),
      http: post.http ?? sendHttp,
    }),
  );
}
