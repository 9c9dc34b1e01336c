import type { AddressInfo } from 'node:net';
import { inboxFilesIn, type InboxFiles } from '../src/gateway/inbox-files.ts';
import { inboxNames } from '../src/gateway/inbox-name.ts';
import { InboxWriter } from '../src/gateway/inbox-writer.ts';
import { webhookServer, type WebhookServing } from '../src/gateway/webhook-server.ts';
import { Secret } from '../src/secret.ts';

/** A gateway's server in a process of its own: `groups` as it is, `single` with a sync for each delivery, `unsynced` with none. */
const [folder = '', arm = 'groups', key = ''] = process.argv.slice(2);
const files = arm === 'unsynced' ? unsynced(inboxFilesIn(folder)) : inboxFilesIn(folder);
const random = (characters: number): string => Math.random().toString(36).slice(2).padEnd(characters, '0').slice(0, characters);
const writer = new InboxWriter({ files, newName: inboxNames({ clock: () => new Date(), random }) });

let last: Promise<unknown> = Promise.resolve();
const append: WebhookServing['append'] = (delivery) => {
  if (arm !== 'single') return writer.append(delivery);
  const written = last.then(() => writer.append(delivery));
  last = written;
  return written;
};

function unsynced(inbox: InboxFiles): InboxFiles {
  return { ...inbox, make: async (name) => ({ ...(await inbox.make(name)), sync: async () => {} }) };
}

const webhooks = [{ name: 'github', format: 'github', secret: new Secret(key) }] as const;
const server = webhookServer({ webhooks, append, clock: () => new Date(), report: () => {} });
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
