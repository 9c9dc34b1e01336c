/** What a gateway's image runs. One file of its own, without anything that knows an engine. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Gateway } from '../architecture/model.ts';
import { inboxFilesIn } from '../gateway/inbox-files.ts';
import { runGateway } from '../gateway/run-gateway.ts';
import { inboxFolder, ledgerFolder, logsFolder } from '../kept-volumes.ts';
import { inboxTaken } from '../ledger/deliveries.ts';
import { LedgerReader } from '../ledger/ledger-reader.ts';
import { gatewayPort, gatewaySettings, streamsEnd } from '../release/gateway-service.ts';
import { Secret } from '../secret.ts';
import { secretsPath } from '../secrets-path.ts';
import { realTimers } from '../timers.ts';

const terminated = new AbortController();
// Process 1 of a container gets no SIGTERM that it does not ask for.
process.on('SIGTERM', () => terminated.abort());

const { webhooks, api } = JSON.parse(readFileSync(gatewaySettings, 'utf8')) as Pick<Gateway, 'webhooks' | 'api'>;

const ledger = new LedgerReader(path.join(ledgerFolder, 'ledger.db'));

await runGateway({
  files: inboxFilesIn(inboxFolder),
  webhooks: Object.entries(webhooks).map(([name, { secret, ...webhook }]) => ({
    name,
    ...webhook,
    secret: new Secret(readFileSync(path.join(secretsPath, secret))),
  })),
  readTaken: () => ledger.read(inboxTaken),
  ...(api && { api: { read: (look) => ledger.read(look), logs: { folder: logsFolder }, onDrain: (end) => process.on(streamsEnd, end) } }),
  address: { host: '0.0.0.0', port: gatewayPort },
  report: (event) => process.stdout.write(`${JSON.stringify({ ...event, at: new Date().toISOString() })}\n`),
  clock: () => new Date(),
  random: (characters) => randomBytes(characters).toString('hex').slice(0, characters),
  timers: realTimers,
  signal: terminated.signal,
});
process.exit(0);
