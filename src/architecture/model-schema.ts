import { z } from 'zod';
import { drainSignals, forgeKinds, instanceMetrics, pathMetrics, scaleMetrics, storeMetrics, type Architecture } from './model.ts';
import { jobModel } from './job-model-schema.ts';
import { limitsModel as limits, textsModel as texts } from './model-schema-parts.ts';
import { policyModel } from './policy-model-schema.ts';

// The validated architecture's own shape, for the published schema of the manifest. `satisfies` at the end keeps it in step with model.ts.

const count = z.int().min(1);
const milliseconds = z.int().min(0);
const port = z.int().min(1).max(65535);

const test = z.union([z.strictObject({ command: z.array(z.string()).readonly() }), z.strictObject({ target: z.string() })]);
const build = z
  .strictObject({
    folder: z.string().describe('Relative to the folder of architecture.ts, or to the top of `repository`.'),
    repository: z.string().exactOptional().describe("Another git repository's address; the lock pins its commit."),
    dockerfile: z.string().describe('Relative to the folder.'),
    target: z.string().exactOptional(),
    arguments: texts,
    tests: z.array(test).readonly(),
  })
  .describe('A folder that becomes an image.');

const tcpHealth = z.strictObject({ kind: z.literal('tcp'), timeoutMs: milliseconds });
const httpHealth = z.strictObject({ kind: z.literal('http'), path: z.string(), status: z.int(), timeoutMs: milliseconds });
const storeHealth = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.enum(['tcp', 'redis', 'postgres']), timeoutMs: milliseconds }),
  z.strictObject({ kind: z.literal('exchange'), send: z.string().exactOptional(), expect: z.string(), timeoutMs: milliseconds }),
]);

const container = {
  build,
  port,
  settings: texts.describe('Environment variables of the configured image.'),
  files: texts.describe('Path in the image → contents.'),
  writable: z
    .record(z.string(), z.strictObject({ sizeBytes: z.int() }))
    .readonly()
    .describe('Paths that are memory in the running instance.'),
  limits,
  stopMs: milliseconds,
  secrets: texts.describe('Secret → its file in /run/secrets.').exactOptional(),
};

const replicas = z
  .union([
    count,
    z.strictObject({
      min: count,
      max: count,
      metric: z.enum(scaleMetrics).exactOptional(),
      target: z.number().exactOptional(),
    }),
  ])
  .describe('Instances: a number, or a range within which they come and go.');

const alarms = <Metric extends string>(metrics: readonly [Metric, ...Metric[]]) =>
  z
    .record(
      z.string(),
      z.strictObject({
        metric: z.enum(metrics),
        above: z.number().exactOptional(),
        below: z.number().exactOptional(),
        forMs: milliseconds,
      }),
    )
    .readonly()
    .exactOptional();
const steps = z.array(z.strictObject({ name: z.string(), command: z.array(z.string()).readonly(), limitMs: milliseconds })).readonly();

const service = z.strictObject({
  alarms: alarms(instanceMetrics).describe('On each of its instances.'),
  drainSignal: z.enum(drainSignals).describe('Sent to an instance when it drains.').exactOptional(),
  ...container,
  entry: z.boolean().describe("The app's requests arrive here."),
  replicas,
  health: z.discriminatedUnion('kind', [httpHealth, tcpHealth]),
  stores: z.array(z.string()).readonly(),
  outbound: z.boolean().describe('Whether it may open connections to the world.'),
  steps: z.strictObject({ before: steps, after: steps }).describe('Commands run once around the switch, in this order.').exactOptional(),
});

const hosts = z.array(z.string()).readonly();
const bake = z
  .strictObject({ forMs: milliseconds })
  .exactOptional()
  .describe('How long the generation before stays ready to take over again.');
const tls = z
  .strictObject({ certificate: z.string(), key: z.string(), plain: z.literal('allow').exactOptional() })
  .describe('Secrets with the certificate and its key, as PEM; whether plain HTTP is let on rather than redirected.')
  .exactOptional();
const elsewhere = z
  .strictObject({
    host: z.string(),
    port,
    tls: z.strictObject({ name: z.string(), ca: z.string().exactOptional() }).exactOptional(),
    hostHeader: z.string().exactOptional(),
    health: httpHealth,
  })
  .describe('Where the app lives when it is not deployed here.')
  .exactOptional();
const gateway = z
  .strictObject({
    replicas: count,
    webhooks: z
      .record(
        z.string(),
        z.strictObject({ format: z.enum(['github', 'signed']), secret: z.string(), repository: z.string().exactOptional() }),
      )
      .readonly(),
    api: z.literal(true).describe('Whether it answers the API.').exactOptional(),
    git: z.strictObject({ secret: z.string() }).describe('It is a git remote, too.').exactOptional(),
  })
  .describe('What takes webhooks; only the app called gateway has it.')
  .exactOptional();
const app = z.strictObject({
  gateway,
  hosts,
  services: z.record(z.string(), service).readonly(),
  stages: z.array(z.string()).readonly().describe('Services that requests pass through before they come to the entry.').exactOptional(),
  elsewhere,
  drain: z.strictObject({ limitMs: milliseconds }),
  bake,
  policy: policyModel.exactOptional(),
  tls,
  alarms: alarms(pathMetrics).describe('On its data path.'),
});
const store = z.strictObject({
  ...container,
  data: z.string().describe('Where the kept volume is mounted.'),
  format: z.string().exactOptional().describe('Names the form the data have.'),
  upgrade: z
    .strictObject({ command: z.array(z.string()).readonly() })
    .exactOptional()
    .describe('Makes data of the format before into this one.'),
  health: storeHealth.describe('When its server can take clients; new connections wait for it.'),
  alarms: alarms(storeMetrics).describe('On its data path and its server.'),
});

const publish = z.array(z.strictObject({ address: z.string(), port, tls: z.literal(true).exactOptional() })).readonly();
const ranges = z.array(z.string()).readonly().exactOptional();
const rate = z.strictObject({ count, perMs: count }).exactOptional();
const core = z.strictObject({
  publish,
  sources: z
    .strictObject({ allow: ranges, deny: ranges })
    .describe('Which addresses may connect: those allowed (all, when left out) that are not denied.')
    .exactOptional(),
  perSource: z
    .strictObject({ connections: count.exactOptional(), newConnections: rate, requests: rate })
    .describe('What one source address may have.')
    .exactOptional(),
  metrics: z.strictObject({ address: z.string(), port }).describe('Where what is counted is shown to Prometheus.').exactOptional(),
});
const serviceChange = z.strictObject({
  replicas: replicas.exactOptional(),
  settings: texts.exactOptional(),
  limits: limits.exactOptional(),
});
const appChange = z.strictObject({
  hosts: hosts.exactOptional(),
  bake,
  policy: policyModel.exactOptional(),
  tls,
  elsewhere,
  services: z.record(z.string(), serviceChange).readonly().exactOptional(),
});
const channels = z
  .record(
    z.string(),
    z.strictObject({ webhook: z.union([z.string(), z.strictObject({ secret: z.string() })]), secret: z.string().exactOptional() }),
  )
  .readonly()
  .exactOptional();
const secrets = z
  .record(z.string(), z.strictObject({ version: z.int().min(1) }))
  .readonly()
  .exactOptional();
const environment = z
  .strictObject({
    channels,
    forge: z
      .strictObject({ kind: z.enum(forgeKinds), repository: z.string(), token: z.string(), api: z.string() })
      .describe('Where pushes come from, and commits get statuses.')
      .exactOptional(),
    secrets,
    deliver: z.strictObject({ branch: z.string() }).exactOptional(),
    schedules: z.boolean().exactOptional(),
    core: core.extend({ publish: publish.exactOptional() }).exactOptional(),
    apps: z.record(z.string(), appChange).readonly().exactOptional(),
    stores: z
      .record(z.string(), z.strictObject({ settings: texts.exactOptional(), limits: limits.exactOptional() }))
      .readonly()
      .exactOptional(),
  })
  .describe('What an environment changes; what it leaves out stays.');

export const architectureModel = z.strictObject({
  name: z.string(),
  core,
  apps: z.record(z.string(), app).readonly(),
  stores: z.record(z.string(), store).readonly(),
  agents: z.record(z.string(), z.strictObject({ build })).readonly(),
  jobs: z.record(z.string(), jobModel).readonly().describe('Work in containers of agents.').exactOptional(),
  environments: z.record(z.string(), environment).readonly(),
  channels: channels.describe('Who is told what happens.'),
  deliver: z
    .strictObject({ repository: z.string().exactOptional(), branch: z.string(), folder: z.string(), secret: z.string().exactOptional() })
    .describe('What pushes deliver.')
    .exactOptional(),
  schedules: z.boolean().describe('Whether jobs run on their schedules.').exactOptional(),
  secrets: secrets.describe('Which version of each secret is used; its value is in no manifest.'),
  rollout: z
    .union([z.literal('per-app'), z.record(z.string(), z.array(z.string()).readonly()).readonly()])
    .describe('What switches together; all of it when left out.')
    .exactOptional(),
}) satisfies z.ZodType<Architecture>;

/** JSON schema of the manifest's architecture part. */
export function architectureJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(architectureModel, { target: 'draft-2020-12', io: 'input' }) };
}
