/** What a gateway's image runs. One file of its own, without anything that knows an engine. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { inboxFilesIn } from '../gateway/inbox-files.ts';
import { followDelivery } from '../gateway/git/follow-delivery.ts';
import { GitRepository } from '../gateway/git/git-repository.ts';
import { usualLimits } from '../gateway/git/limited-git.ts';
import { runGateway, type GatewayRequest } from '../gateway/run-gateway.ts';
import { readKeptFrom } from '../jobs/kept-from.ts';
import { gitFolder, gitRepository, inboxFolder, ledgerFolder, logsFolder } from '../kept-volumes.ts';
import { inboxTaken } from '../ledger/deliveries.ts';
import { gitSource } from '../ledger/delivery.ts';
import { lookAtDelivery } from '../ledger/delivery-look.ts';
import { LedgerReader } from '../ledger/ledger-reader.ts';
import { gatewayPort, gatewaySettings, streamsEnd, type GatewaySettings } from '../release/gateway-service.ts';
import { Secret } from '../secret.ts';
import { secretsPath } from '../secrets-path.ts';
import { realTimers } from '../timers.ts';

const terminated = new AbortController();
// Process 1 of a container gets no SIGTERM that it does not ask for.
process.on('SIGTERM', () => terminated.abort());

const { webhooks, api, git } = JSON.parse(readFileSync(gatewaySettings, 'utf8')) as GatewaySettings;

const ledger = new LedgerReader(path.join(ledgerFolder, 'ledger.db'));

const secretOf = (name: string): Secret => new Secret(readFileSync(path.join(secretsPath, name)));

const follow = followDelivery({
  look: (id) => ledger.read((database) => lookAtDelivery(database, { source: gitSource, id })),
  async kept(run, step, from) {
    const { lines, next } = await readKeptFrom({ folder: logsFolder }, { run, step, from });
    return { lines: lines.map(({ line: { line } }) => line), next };
  },
  closing: terminated.signal,
  timers: realTimers,
});

const remoteOf = ({ name, secret }: NonNullable<GatewaySettings['git']>): NonNullable<GatewayRequest['git']> => ({
  name,
  secret: secretOf(secret),
  repository: new GitRepository(gitFolder, { name: gitRepository, limits: usualLimits }),
  follow,
});

await runGateway({
  files: inboxFilesIn(inboxFolder),
  webhooks: Object.entries(webhooks).map(([name, { secret, ...webhook }]) => ({
    name,
    ...webhook,
    secret: secretOf(secret),
  })),
  ...(api && { api: { read: (look) => ledger.read(look), logs: { folder: logsFolder }, onDrain: (end) => process.on(streamsEnd, end) } }),
  ...(git && { git: remoteOf(git) }),
  readTaken: () => ledger.read(inboxTaken),
  address: { host: '0.0.0.0', port: gatewayPort },
  report: (event) => process.stdout.write(`${JSON.stringify({ ...event, at: new Date().toISOString() })}\n`),
  clock: () => new Date(),
  random: (characters) => randomBytes(characters).toString('hex').slice(0, characters),
  timers: realTimers,
  signal: terminated.signal,
});
process.exit(0);
