import assert from 'node:assert/strict';
import type { Engine } from '../../src/engine/engine.ts';
import type { LayerItem } from '../../src/engine/image.ts';
import { conditionLimitMs, type GetWorld, instanceSpec, onceCommands, started, valueOf } from './contract-fixture.ts';
import { it } from './story.ts';

export function imagesContract(world: GetWorld): void {
  const label = 'dev.changeless.contract';
  const request = (greeting: string): Parameters<Engine['images']['assemble']>[0][number] => ({
    base: world().images.service,
    files: [{ path: '/contract/greeting', contents: greeting }],
    change: { environment: { GREETING: greeting }, labels: { [label]: world().architecture } },
    tag: `changeless/contract/${greeting}:${world().architecture}`,
  });

  it('assembles equal requests into one image, and others into others', async () => {
    const [hello, ciao] = await world().engine.images.assemble([request('hello'), request('ciao')]);
    const again = await world().engine.images.assemble([request('ciao'), request('hello')]);
    assert.deepEqual(again, [ciao, hello]);
    assert.notEqual(hello, ciao);
  });

  it('shows an assembled image with its configuration, on the layers of its base', async () => {
    const detail = await world().engine.images.inspect(request('hello').tag);
    const base = await world().engine.images.inspect(world().images.service);
    assert.ok(detail?.config.environment.includes('GREETING=hello'));
    assert.deepEqual(detail?.layers.slice(0, base?.layers.length), base?.layers);
    assert.equal(detail?.layers.length, (base?.layers.length ?? 0) + 1);
    assert.equal(await world().engine.images.inspect('changeless/contract/nothing:none'), undefined);
  });

  it('reads a file of an image without running it', async () => {
    const contents = await world().engine.images.readFile(request('hello').tag, '/contract/greeting');
    assert.equal(contents && new TextDecoder().decode(contents), 'hello');
    assert.equal(await world().engine.images.readFile(request('hello').tag, '/contract/nothing'), undefined);
  });

  it('lists images by label and by name', async () => {
    const { images: store } = world().engine;
    const labels = { [label]: world().architecture };
    assert.equal((await store.list({ labels })).length, 2);
    const [only, ...others] = await store.list({ labels, reference: 'changeless/contract/hel*' });
    assert.deepEqual(others, []);
    assert.deepEqual(only?.tags, [request('hello').tag]);
    assert.equal(only?.labels[label], world().architecture);
  });

  it('prepares images, whose names come after they do, and discards those that got none', async () => {
    const { images: store } = world().engine;
    const [kept, dropped] = [await store.prepare([request('kept')]), await store.prepare([request('dropped')])];
    const there = async (): Promise<unknown[]> => {
      const listed = await store.list({ labels: { [label]: world().architecture } });
      return [kept, dropped].map(({ ids: [id] }) => listed.find((image) => image.id === id)?.tags);
    };
    assert.deepEqual(await there(), [undefined, undefined]);
    for (const assembly of [kept, dropped, dropped]) await assembly.load();
    assert.deepEqual(await there(), [[], []]);
    await kept.name();
    for (const assembly of [kept, dropped, dropped]) await assembly.discard();
    assert.deepEqual(await there(), [[request('kept').tag], undefined]);
    assert.deepEqual(await store.assemble([request('kept')]), kept.ids);
    assert.equal(await store.remove(request('kept').tag), true);
  });

  it('moves tags and removes images, but not one in use', async () => {
    const { images: store } = world().engine;
    const [hello] = await store.assemble([request('hello')]);
    const tag = `changeless/contract/second:${world().architecture}`;
    for (const _ of [1, 2]) await store.tag(hello!, tag);
    assert.equal((await store.inspect(tag))?.id, hello);
    assert.equal(await store.remove(tag), true);
    await started(world(), instanceSpec(world(), { name: 'contract-user', slot: 'contract-blue', image: hello! }));
    assert.equal(await store.remove(hello!), false);
    valueOf(await world().engine.removeInstance(world().architecture, 'contract-user'));
    for (const _ of [1, 2]) for (const greeting of ['hello', 'ciao']) assert.equal(await store.remove(request(greeting).tag), true);
    assert.deepEqual(await store.list({ labels: { [label]: world().architecture } }), []);
  });

  it('assembles links and folders, and tells one owner from another', async () => {
    const { images: store } = world().engine;
    const owner = { user: 1000, group: 1001 };
    const tree: LayerItem[] = [
      { path: '/contract/tree', folder: true, owner },
      { path: '/contract/tree/file', contents: 'hello', owner },
      { path: '/contract/tree/link', target: '../tree/file', owner },
    ];
    const of = (files: readonly LayerItem[], name: string) => ({ ...request(name), files });
    const variants: [name: string, files: readonly LayerItem[]][] = [
      ['as-it-is', tree],
      ['otherwise-ordered', tree.toReversed()],
      ['of-root', tree.map(({ owner: _, ...item }) => item)],
      ['of-another-group', tree.map((item) => ({ ...item, owner: { ...owner, group: 1000 } }))],
      ['with-a-link-elsewhere', tree.map((item) => ('target' in item ? { ...item, target: 'file' } : item))],
      ['executable', tree.map((item) => ('contents' in item ? { ...item, mode: 0o755 } : item))],
    ];
    const layers = await Promise.all(
      variants.map(async ([name, files]) => {
        const [id] = await store.assemble([of(files, name)]);
        assert.equal(new TextDecoder().decode(await store.readFile(id!, '/contract/tree/link')), 'hello');
        return (await store.inspect(id!))?.layers.at(-1);
      }),
    );
    assert.equal(layers[0], layers[1]);
    assert.equal(new Set(layers).size, variants.length - 1);
    for (const [name] of variants) assert.equal(await store.remove(request(name).tag), true);
  });

  it('says so when no registry gives an image', async () => {
    const outcome = await world().engine.images.pull('registry.invalid/changeless/nothing:1', 5000);
    assert.equal(!outcome.ok && outcome.problem.code, 'BASE_UNAVAILABLE');
  });
}

export function onceContract(world: GetWorld): void {
  const request = () => ({ image: world().images.service, labels: {}, network: 'none' as const, readOnly: true });

  it('returns exit code and output of a command, with its files in place', async () => {
    const files = [{ path: '/contract/greeting', contents: 'hello\n' }];
    const result = await world().engine.images.runOnce({ ...request(), command: onceCommands.speaks, files, limitMs: conditionLimitMs });
    assert.deepEqual(result, { exitCode: 3, stdout: 'hello\n', stderr: 'trouble\n', timedOut: false });
  });

  it('ends a command that takes too long', async () => {
    const result = await world().engine.images.runOnce({ ...request(), command: onceCommands.sleeps, limitMs: 500 });
    assert.equal(result.timedOut, true);
  });
}
