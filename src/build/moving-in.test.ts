import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { App, Architecture } from '../architecture/model.ts';
import type { ComponentKey, ImageId } from '../digest.ts';
import { generationsOf } from '../release/generation.ts';
import { appOf, architectureOf, inputsOf, serviceOf } from '../release/release-fixture.ts';
import { resolveEnvironment } from '../release/resolve-environment.ts';
import { configuredImages, configuredRequest, type Configured } from './configured-images.ts';
import { pathImages, pathRequest, type PathImage } from './path-images.ts';
import { ownImages, ownRequest, type OwnImage } from './own-images.ts';

const proxy = { id: 'sha256:proxy' as ImageId, key: 'k2' as ComponentKey, architecture: 'streaming' };

/** The images of an architecture whose one app is this. */
function imagesOf(app: Partial<App>): {
  configured: readonly Configured[];
  paths: readonly PathImage[];
  own: readonly OwnImage[];
  next: (item: Configured) => unknown;
} {
  const architecture: Architecture = architectureOf({ apps: { catalog: appOf(app) } });
  const plain = inputsOf(architecture);
  const inputs = { ...plain, changeless: { ...plain.changeless, builder: 'builder' as ComponentKey } };
  const [generations, resolved] = [generationsOf(inputs, 'local'), resolveEnvironment(architecture, 'local')];
  assert.ok(generations.ok && resolved.ok);
  const { components } = inputs;
  const base = (component: string) => ({ id: proxy.id, user: '', component: components[component]!, architecture: 'streaming' });
  return {
    configured: configuredImages({ architecture: resolved.value, generations: generations.value, components }),
    paths: pathImages(resolved.value, generations.value).filter(({ unit }) => unit.kind === 'app'),
    own: ownImages({
      architecture: resolved.value,
      paths: pathImages(resolved.value, generations.value),
      changeless: inputs.changeless,
    }),
    next: (item) => configuredRequest(item, base(item.component)).change.environment?.['CHANGELESS_NEXT'],
  };
}

const services = { api: serviceOf(), auth: serviceOf({ entry: false }), waf: serviceOf({ entry: false }) };

test('a stage is told, in an image of each colour, the port where the data path of that colour listens for it', () => {
  const { configured, paths, next } = imagesOf({ services, stages: ['waf', 'auth'] });
  const told = configured.filter((item) => item.next).map((item) => [item.service, item.next?.colour, next(item)]);
  assert.deepEqual(told, [
    ['auth', 'blue', 'http://path.:10201'],
    ['auth', 'green', 'http://path.:10301'],
    ['waf', 'blue', 'http://path.:10200'],
    ['waf', 'green', 'http://path.:10300'],
  ]);
  for (const { colour, config } of paths) {
    const [waf, auth] = colour === 'blue' ? [10_200, 10_201] : [10_300, 10_301];
    assert.match(config.proxy, new RegExp(`frontend after-waf\n +bind :${waf}\n[^]*frontend after-auth\n +bind :${auth}\n`));
  }
});

test('a service that is no stage has one image, which is told nothing', () => {
  const { configured, next } = imagesOf({ services, stages: ['waf'] });
  assert.deepEqual(
    configured.filter(({ service }) => service === 'api').map((item) => next(item)),
    [undefined],
  );
});

const ca = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const health = { kind: 'http', path: '/', status: 200, timeoutMs: 1000 } as const;
const elsewhere = { host: 'legacy.example.com', port: 443, tls: { name: 'legacy.example.com', ca }, health };

test('a way out is the proxy with one origin, the same in both colours', () => {
  const { own, configured } = imagesOf({ services: {}, elsewhere });
  const [image, ...more] = own;
  assert.equal(more.length, 0);
  assert.deepEqual(
    configured.filter(({ unit }) => unit.kind === 'app'),
    [],
  );
  const { base, files, change } = ownRequest(image!, {
    architecture: 'streaming',
    ids: { proxy: proxy.id, controller: 'sha256:controller' as ImageId },
  });
  assert.equal(base, proxy.id);
  assert.match(files[0] && 'contents' in files[0] ? String(files[0].contents) : '', /server origin legacy\.example\.com:443 /);
  assert.deepEqual(change.entrypoint, ['haproxy', '-db', '-f', files[0]?.path]);
  assert.equal(change.labels?.['dev.changeless.app'], 'catalog');
});

test('who vouches for an origin is in the image of the data path, where its configuration looks for it', () => {
  for (const path of imagesOf({ services: {}, elsewhere }).paths) {
    const file = pathRequest(path, proxy).files.find((item) => 'contents' in item && item.contents === ca)?.path;
    assert.ok(file !== undefined && path.config.proxy.includes(` ca-file ${file} `) && path.config.waiting.includes(` ca-file ${file} `));
  }
});

test('without stages and elsewhere no image knows of them', () => {
  const { configured, paths, own } = imagesOf({});
  assert.ok(configured.every((item) => item.next === undefined));
  assert.deepEqual(own, []);
  for (const { config } of paths) assert.doesNotMatch(config.proxy, /frontend after-|way-back|grace|elsewhere/);
});

const webhooks = { github: { format: 'github', secret: 'githubWebhook', repository: 'octo/streaming' } } as const;

test('a gateway is the controller image with its own program, as a user of no other rights, who owns the folder of the inbox', () => {
  const { own, paths } = imagesOf({ services: {}, gateway: { replicas: 2, webhooks } });
  const [image, ...more] = own;
  assert.deepEqual(more, []);
  const ids = { proxy: proxy.id, controller: 'sha256:controller' as ImageId };
  const { base, files, change } = ownRequest(image!, { architecture: 'streaming', ids });
  assert.equal(base, ids.controller);
  const [settings, inbox] = files;
  assert.ok(settings && 'contents' in settings);
  assert.deepEqual(JSON.parse(String(settings.contents)), { webhooks });
  assert.deepEqual(inbox, { path: '/inbox', folder: true, owner: { user: 65534, group: 65534 } });
  assert.deepEqual([change.entrypoint, change.user], [['node', '/changeless/program/gateway.js'], '65534:65534']);
  for (const { config } of paths) assert.match(config.proxy, /server-template|server gateway/);
});

test('a gateway that is a git remote is the builder, with a folder of its own for what is pushed', () => {
  const { own } = imagesOf({ services: {}, gateway: { replicas: 1, webhooks: {}, git: { secret: 'push' } } });
  const ids = { proxy: proxy.id, controller: 'sha256:controller' as ImageId, builder: 'sha256:builder' as ImageId };
  const { base, files, change } = ownRequest(own[0]!, { architecture: 'streaming', ids });
  assert.equal(base, ids.builder);
  const [settings, , pushed] = files;
  assert.deepEqual(settings && 'contents' in settings && JSON.parse(String(settings.contents)), {
    git: { name: 'streaming', secret: 'push' },
    webhooks: {},
  });
  assert.deepEqual(pushed, { path: '/git', folder: true, owner: { user: 65534, group: 65534 } });
  assert.deepEqual([change.entrypoint, change.user], [['node', '/changeless/package/dist/controller/gateway.js'], '65534:65534']);
});
