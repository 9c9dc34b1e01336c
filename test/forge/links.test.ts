import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Gateway, Publish } from '../../src/architecture/model.ts';
import { linksOf } from '../../src/controller/open-forge.ts';

const links = (host: string, { api = true, publish = { address: '0.0.0.0', port: 443 } }: { api?: boolean; publish?: Publish } = {}) => {
  const gateway: Gateway = { replicas: 1, webhooks: {}, ...(api && { api: true }) };
  const app = { hosts: [host], services: {}, gateway, drain: { limitMs: 1 } };
  const { release, run } = linksOf({ name: 'shop', core: { publish: [publish] }, apps: { gateway: app }, stores: {}, agents: {} });
  return [release('abc'), run('test-1')];
};

test('statuses link to the API where others can reach it', () => {
  const address = 'https://deliver.example.com';
  assert.deepEqual(links('deliver.example.com'), [`${address}/api/v1/releases/abc`, `${address}/api/v1/runs/test-1`]);
  const [plain] = links('deliver.example.com', { publish: { address: '0.0.0.0', port: 8080 } });
  assert.equal(plain, 'http://deliver.example.com:8080/api/v1/releases/abc');
});

test('they link to nothing on a laptop, and where there is no API', () => {
  assert.deepEqual(links('deliver.localhost'), [undefined, undefined]);
  assert.deepEqual(links('deliver.example.com', { api: false }), [undefined, undefined]);
});
