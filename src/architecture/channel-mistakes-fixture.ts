const service = { build: 'catalog/api', port: 3000 };

/** An architecture with one secret, `hook`, and these. */
const withTold = (more: object): object => ({
  name: 'shop',
  secrets: { hook: { version: 1 } },
  apps: { catalog: { services: { api: service } } },
  ...more,
});

const channel = (written: object): object => withTold({ channels: { ops: written } });

const github = { kind: 'github', repository: 'shop/web', token: 'hook' };

const forge = (written: object): object => withTold({ environments: { live: { forge: { ...github, ...written } } } });

/** What may be written wrong of channels and forges, and what is said of it. */
export const channelMistakes: [name: string, value: unknown, expected: string[]][] = [
  [
    'a channel that is no address',
    channel({ webhook: 'slack' }),
    ["channels.ops.webhook: expected the address of a webhook: http:// or https://, found 'slack'"],
  ],
  [
    'channels whose secrets are not there',
    withTold({
      channels: { ops: { webhook: { secret: 'hok' }, secret: 'key' } },
      environments: { live: { channels: { night: { webhook: 'https://example.com/', secret: 'hoook' } } } },
    }),
    [
      'channels.ops.webhook.secret: expected a name in secrets (hook), found hok (did you mean hook?)',
      'channels.ops.secret: expected a name in secrets (hook), found key',
      'environments.live.channels.night.secret: expected a name in secrets (hook), found hoook (did you mean hook?)',
    ],
  ],
  ['a forge of another kind', forge({ kind: 'gitlab' }), ["environments.live.forge.kind: expected what github() makes, found 'gitlab'"]],
  [
    'a forge whose repository is an address, and whose token is not there',
    forge({ repository: 'https://github.com/shop/web', token: 'tokn' }),
    [
      "environments.live.forge.repository: expected the name of a repository, 'owner/name', found 'https://github.com/shop/web'",
      'environments.live.forge.token: expected a name in secrets (hook), found tokn',
    ],
  ],
  [
    'a forge that is to be asked without TLS',
    forge({ api: 'http://github.example.com/api/v3' }),
    [
      "environments.live.forge.api: expected the address of an API: https://, or http:// on this machine, found 'http://github.example.com/api/v3'",
    ],
  ],
];
