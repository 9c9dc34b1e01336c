import { z } from 'zod';
import { isBranchName } from './branch-name.ts';
import { deliveredExpectation, isDeliveredAddress } from './deliver.ts';
import * as expect from './expectations.ts';
import { isAddressRange } from '../source-rules.ts';
import { drainSignals, forgeKinds, instanceMetrics, pathMetrics, scaleMetrics, storeMetrics } from './model.ts';
import { mostStages } from '../way-back.ts';
import { policy } from './policy-schema.ts';
import { addressExpectation, isRepositoryAddress } from './repository-address.ts';
import { job } from './job-schema.ts';
import { limits, members, name, named, scalar, secretName, settings, size, text, usedSecrets, whole, words } from './schema-parts.ts';

// What may be written, as the authoring types say it. Every message is what was expected; `issues.ts` adds what was found.

const imagePath = text('an absolute path in the image, outside /changeless', expect.isImagePath);
const hostName = text('a host name in lower case', expect.isHostName);
const hosts = z.array(hostName, 'a list of host names').min(1, 'at least one host name');
const port = whole(1, 65535);
const milliseconds = whole(0, 86_400_000);
const relativePath = text('a path relative to the folder, without ..', expect.isRelativePath);

const count = whole(1, 100);
const ordered = (range: { min: number; max: number }): boolean => range.min <= range.max;
const replicas = z.union([
  count,
  members({
    min: count,
    max: count,
    metric: z.enum(scaleMetrics, `one of ${scaleMetrics.join(', ')}`).optional(),
    target: z.number('a number').positive('more than 0').optional(),
  })
    .refine(ordered, { path: ['max'], error: 'at least min' })
    .refine(({ metric, target }) => metric === undefined || target !== undefined, { path: ['metric'], error: 'a target beside it' })
    .refine(({ metric, target }) => target === undefined || metric !== undefined, { path: ['target'], error: 'a metric beside it' }),
]);

const command = members({ command: words });
const test = z.union([command, members({ target: text('the name of a stage of the Dockerfile', Boolean) })]);

const folder = text("a folder relative to architecture.ts, such as 'catalog/api', without ..", expect.isRelativePath);
const component = members({
  folder,
  repository: text(addressExpectation, isRepositoryAddress).optional(),
  dockerfile: relativePath.optional(),
  target: text('the name of a stage of the Dockerfile', Boolean).optional(),
  args: z
    .record(
      text('the name of a build argument', (value) => /^[A-Za-z_]\w*$/.test(value)),
      scalar,
    )
    .optional(),
  tests: z.union([test, z.array(test)]).optional(),
});
const build = z.union([folder, component]);

const tcp = z.literal('tcp', "'tcp'");
const tcpHealth = members({ tcp: z.literal(true, 'true'), timeoutMs: milliseconds.optional() });
const httpHealth = members({
  path: text('a path that starts with /', (value) => /^\/[\u0021-\u007e]*$/.test(value)),
  status: whole(100, 599).optional(),
  timeoutMs: milliseconds.optional(),
});
const protocols = ['redis', 'postgres'] as const;
const protocolHealth = members({ protocol: z.enum(protocols, `one of ${protocols.join(', ')}`), timeoutMs: milliseconds.optional() });
const exchangeHealth = members({
  send: text('the text to send', Boolean).optional(),
  expect: text('text that the answer holds', Boolean),
  timeoutMs: milliseconds.optional(),
});

const declaredSecrets = z.record(secretName, members({ version: whole(1, 1_000_000) })).optional();

const container = {
  secrets: usedSecrets.optional(),
  settings: settings.optional(),
  files: z.record(imagePath, text('the contents as text')).optional(),
  writable: z.union([z.array(imagePath), z.record(imagePath, members({ size }))]).optional(),
  limits: limits.optional(),
  stopMs: milliseconds.optional(),
};

const limit = z.number('a number');
const alarms = <Metric extends string>(metrics: readonly [Metric, ...Metric[]]) =>
  named(
    members({
      metric: z.enum(metrics, `one of ${metrics.join(', ')}`),
      above: limit.optional(),
      below: limit.optional(),
      forMs: milliseconds.optional(),
    }).refine(({ above, below }) => (above === undefined) !== (below === undefined), 'above or below, one of the two'),
  ).optional();
const step = members({ ...command.shape, limitMs: whole(1, 86_400_000).optional() });
const steps = members({ before: named(step).optional(), after: named(step).optional() });

const service = members({
  build,
  port,
  entry: z.boolean('true or false').optional(),
  replicas: replicas.optional(),
  health: z.union([tcp, httpHealth, tcpHealth]).optional(),
  ...container,
  stores: z.array(text('the name of a store'), 'a list of the names of stores').optional(),
  outbound: z.boolean('true or false').optional(),
  drainSignal: z.enum(drainSignals, `one of ${drainSignals.join(', ')}`).optional(),
  alarms: alarms(instanceMetrics),
  steps: steps.optional(),
});

const elsewhere = members({
  host: text('a host name in lower case, or an IPv4 address', expect.isHostName),
  port,
  tls: z
    .union([
      z.literal(true, 'true'),
      members({ name: hostName.optional(), ca: text('certificates as PEM', expect.isCertificates).optional() }),
    ])
    .optional(),
  hostHeader: hostName.optional(),
  health: httpHealth,
}).optional();

const bake = members({ forMs: milliseconds });
const plain = ['redirect', 'allow'] as const;
const tls = members({
  certificate: text('the name of a secret', Boolean),
  key: text('the name of a secret', Boolean),
  plain: z.enum(plain, `one of ${plain.join(', ')}`).optional(),
}).optional();
const app = members({
  hosts: hosts.optional(),
  services: named(service).optional(),
  stages: z.array(text('the name of a service'), 'a list of the names of services').max(mostStages, `at most ${mostStages}`).optional(),
  elsewhere,
  drain: members({ limitMs: milliseconds }).optional(),
  bake: bake.optional(),
  policy: policy.optional(),
  tls,
  alarms: alarms(pathMetrics),
});
const store = members({
  build,
  port,
  data: imagePath,
  format: text('lower-case letters, digits and hyphens, at most 40', expect.isFormat).optional(),
  upgrade: command.optional(),
  health: z.union([tcp, tcpHealth, protocolHealth, exchangeHealth]).optional(),
  ...container,
  alarms: alarms(storeMetrics),
});

const address = text('an IP address', (value) => expect.isPublished(`${value.includes(':') ? `[${value}]` : value}:1`));
const publish = z.union([
  port,
  text("a port, or an address and a port such as '0.0.0.0:443'", expect.isPublished),
  members({ address: address.optional(), port, tls: z.boolean('true or false').optional() }),
]);
const ranges = z
  .array(text("an IP address or a range of them, such as '192.0.2.0/24'", isAddressRange), 'a list of addresses')
  .min(1, 'at least one address');
const most = whole(1, 1_000_000);
const rate = members({ count: most, perMs: whole(1_000, 3_600_000) });
const core = members({
  publish: z.array(publish, 'a list of ports').min(1, 'at least one port').optional(),
  sources: members({ allow: ranges.optional(), deny: ranges.optional() }).optional(),
  perSource: members({ connections: most.optional(), newConnections: rate.optional(), requests: rate.optional() }).optional(),
  metrics: z
    .union([
      port,
      text("a port, or an address and a port such as '127.0.0.1:9464'", expect.isPublished),
      members({ address: address.optional(), port }),
    ])
    .optional(),
});

const webhookName = text('a name of letters, digits, - and _ that starts with a letter, at most 64 characters', expect.isSecretName);
const webhook = members({
  secret: text('the name of a secret', Boolean),
  repository: text("the name of a repository, 'owner/name'", expect.isRepositoryName).optional(),
});
const gateway = members({
  host: hostName.optional(),
  replicas: count.optional(),
  webhooks: z.record(webhookName, webhook).optional(),
  api: z.boolean('true or false').optional(),
  git: members({ secret: text('the name of a secret', Boolean) }).optional(),
}).optional();

const secretHere = text('the name of a secret', Boolean);
const webAddress = text('the address of a webhook: http:// or https://', expect.isWebAddress);
const channel = members({ webhook: z.union([webAddress, members({ secret: secretHere })]), secret: secretHere.optional() });
const channels = named(channel).optional();
const forge = members({
  kind: z.enum(forgeKinds, 'what github() makes'),
  repository: text("the name of a repository, 'owner/name'", expect.isRepositoryName),
  token: secretHere,
  api: text('the address of an API: https://, or http:// on this machine', expect.isSafeAddress).optional(),
}).optional();
const branch = text('the name of a branch', isBranchName);
const deliver = members({
  repository: text(deliveredExpectation, isDeliveredAddress).optional(),
  branch: branch.optional(),
  folder: text('a folder of the repository, relative and without ..', expect.isRelativePath).optional(),
  secret: text('the name of a secret', Boolean).optional(),
}).optional();

const serviceChange = members({ replicas: replicas.optional(), settings: settings.optional(), limits: limits.optional() });
const environment = members({
  channels,
  forge,
  secrets: declaredSecrets,
  core: core.optional(),
  gateway: members({ host: hostName.optional() }).optional(),
  deliver: members({ branch }).optional(),
  schedules: z.boolean('true or false').optional(),
  apps: named(
    members({
      hosts: hosts.optional(),
      bake: bake.optional(),
      policy: policy.optional(),
      tls,
      elsewhere,
      services: named(serviceChange).optional(),
    }),
  ).optional(),
  stores: named(members({ settings: settings.optional(), limits: limits.optional() })).optional(),
});

/** What `architecture.ts` may export. */
export const architectureInput = members({
  name,
  core: core.optional(),
  apps: named(app).optional(),
  stores: named(store).optional(),
  agents: named(members({ build })).optional(),
  jobs: named(job).optional(),
  environments: named(environment).optional(),
  channels,
  gateway,
  deliver,
  secrets: declaredSecrets,
  rollout: z
    .union([
      z.enum(['together', 'per-app'], "'together' or 'per-app'"),
      named(z.array(text('the name of an app'), 'a list of the names of apps').min(1, 'at least one app')),
    ])
    .optional(),
});
