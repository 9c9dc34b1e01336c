import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeliveredAddress, repositoryName } from './deliver.ts';

const taken: [address: string, name: string | undefined][] = [
  ['https://github.com/acme/shop.git', 'acme/shop'],
  ['https://forge.example:8443/groups/acme/shop', 'acme/shop'],
  ['ssh://git@forge.example:2222/acme/shop.git', 'acme/shop'],
  ['git@github.com:acme/shop.git', 'acme/shop'],
  ['http://127.0.0.1:8081/acme/shop.git', 'acme/shop'],
  ['http://localhost/shop.git', undefined],
];

for (const [address, name] of taken)
  void test(`${address} is fetched from`, () => {
    assert.equal(isDeliveredAddress(address), true);
    assert.equal(repositoryName(address), name);
  });

const refused = [
  'ext::sh -c id',
  'https://user:password@github.com/acme/shop.git',
  'https://token@github.com/acme/shop.git',
  'http://github.com/acme/shop.git',
  'http://127.0.0.1.example.com/acme/shop.git',
  'http://127.0.0.1@example.com/acme/shop.git',
  'file:///etc',
  '/srv/shop.git',
  '../shop',
  '--upload-pack=id',
  'ssh://-oProxyCommand=id/acme/shop.git',
  'git@-oProxyCommand=id:acme/shop.git',
  '-u@host:acme/shop.git',
  'git@host:-x',
  'git@host:acme/shop.git\n--x',
  'https://github.com/acme/shop.git?x=y',
  'git://github.com/acme/shop.git',
  '',
];

for (const address of refused) void test(`${JSON.stringify(address)} is not`, () => assert.equal(isDeliveredAddress(address), false));
