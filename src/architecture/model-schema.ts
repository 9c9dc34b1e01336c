import { z } from 'zod';
import { drainSignals, type Architecture } from './model.ts';

// The validated architecture's own shape, for the published schema of the manifest. `satisfies` at the end keeps it in step with model.ts.

const texts = z.record(z.string(), z.string()).readonly();
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
const limits = z.strictObject({ memoryBytes: z.int(), processes: z.int(), cpus: z.number().exactOptional() });

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
};

const service = z.strictObject({
  drainSignal: z.enum(drainSignals).describe('Sent to an instance when it drains.').exactOptional(),
  ...container,
  entry: z.boolean().describe("The app's requests arrive here."),
  replicas: z.int().min(1),
  health: z.discriminatedUnion('kind', [httpHealth, tcpHealth]),
  stores: z.array(z.string()).readonly(),
  outbound: z.boolean().describe('Whether it may open connections to the world.'),
});

const hosts = z.array(z.string()).readonly();
const app = z.strictObject({ hosts, services: z.record(z.string(), service).readonly(), drain: z.strictObject({ limitMs: milliseconds }) });
const store = z.strictObject({
  ...container,
  data: z.string().describe('Where the kept volume is mounted.'),
  format: z.string().exactOptional().describe('Names the form the data have.'),
  upgrade: z
    .strictObject({ command: z.array(z.string()).readonly() })
    .exactOptional()
    .describe('Makes data of the format before into this one.'),
  health: storeHealth.describe('When its server can take clients; new connections wait for it.'),
});

const publish = z.array(z.strictObject({ address: z.string(), port })).readonly();
const serviceChange = z.strictObject({
  replicas: z.int().exactOptional(),
  settings: texts.exactOptional(),
  limits: limits.exactOptional(),
});
const appChange = z.strictObject({
  hosts: hosts.exactOptional(),
  services: z.record(z.string(), serviceChange).readonly().exactOptional(),
});
const environment = z
  .strictObject({
    core: z.strictObject({ publish: publish.exactOptional() }).exactOptional(),
    apps: z.record(z.string(), appChange).readonly().exactOptional(),
    stores: z
      .record(z.string(), z.strictObject({ settings: texts.exactOptional(), limits: limits.exactOptional() }))
      .readonly()
      .exactOptional(),
  })
  .describe('What an environment changes; what it leaves out stays.');

export const architectureModel = z.strictObject({
  name: z.string(),
  core: z.strictObject({ publish }),
  apps: z.record(z.string(), app).readonly(),
  stores: z.record(z.string(), store).readonly(),
  agents: z.record(z.string(), z.strictObject({ build })).readonly(),
  environments: z.record(z.string(), environment).readonly(),
  rollout: z
    .union([z.literal('per-app'), z.record(z.string(), z.array(z.string()).readonly()).readonly()])
    .describe('What switches together; all of it when left out.')
    .exactOptional(),
}) satisfies z.ZodType<Architecture>;

/** JSON schema of the manifest's architecture part. */
export function architectureJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(architectureModel, { target: 'draft-2020-12', io: 'input' }) };
}
