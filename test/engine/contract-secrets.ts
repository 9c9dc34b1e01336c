import assert from 'node:assert/strict';
import { identityVolume, type InstanceSpec, type SecretValues } from '../../src/engine/engine.ts';
import { Secret } from '../../src/secret.ts';
import { type GetWorld, instanceIn, instanceSpec, observe, pathSpec, slotSpec, until, valueOf } from './contract-fixture.ts';
import { after, before, it } from './story.ts';

const slot = 'contract-secretive';

/** Secrets: what an instance finds as it starts, for as long as it runs, and what of them can be seen from outside. */
export function secretsContract(world: GetWorld): void {
  const delivery = (file: string, version: number) => ({ file, secret: file, version, sealed: `sealed ${file} ${version}` });
  const spec = (change: Partial<InstanceSpec> = {}): InstanceSpec =>
    instanceSpec(world(), {
      name: 'contract-keeper',
      slot,
      colour: 'blue',
      secrets: [delivery('password', 1), delivery('key', 3)],
      ...change,
    });
  const values = (password = 'hunter2', key = '--- a key\nof lines ---\n'): SecretValues => ({
    password: new Secret(password),
    key: new Secret(key),
  });
  const start = async (wanted: InstanceSpec, given: SecretValues): Promise<void> =>
    valueOf(await world().engine.startInstance(world().architecture, wanted, given));

  before(async () => {
    valueOf(await world().engine.ensureSlot(world().architecture, slotSpec(world(), { name: slot, colour: 'blue' })));
  });
  after(async () => {
    valueOf(await world().engine.removeSlot(world().architecture, slot));
  });

  it('starts nothing whose secrets it was not given', async () => {
    const { password } = values();
    const result = await world().engine.startInstance(world().architecture, spec(), { ...(password && { password }) });
    assert.equal(result.ok, false);
    assert.notEqual(instanceIn(await observe(world()), 'contract-keeper')?.state, 'running');
  });

  it('has an instance find its secrets, and says of them name and version', async () => {
    await start(spec(), values());
    assert.deepEqual(await world().secretsOf('contract-keeper'), { password: 'hunter2', key: '--- a key\nof lines ---\n' });
    const seen = instanceIn(await observe(world()), 'contract-keeper');
    assert.deepEqual(seen?.secrets, [
      { file: 'password', secret: 'password', version: 1 },
      { file: 'key', secret: 'key', version: 3 },
    ]);
    assert.equal(JSON.stringify(await observe(world())).includes('hunter2'), false);
  });

  it('leaves what runs alone, with the secrets it has', async () => {
    const first = instanceIn(await observe(world()), 'contract-keeper');
    await start(spec(), values('another'));
    assert.deepEqual(instanceIn(await observe(world()), 'contract-keeper'), first);
    assert.equal((await world().secretsOf('contract-keeper'))['password'], 'hunter2');
  });

  it('keeps nothing of them for an instance that died, and fills them anew for its successor', async () => {
    await world().killInstance('contract-keeper');
    await until(world(), 'it is dead', (seen) => instanceIn(seen, 'contract-keeper')?.state === 'exited');
    assert.deepEqual(await world().secretsOf('contract-keeper'), {});
    await start(spec(), values());
    assert.equal((await world().secretsOf('contract-keeper'))['password'], 'hunter2');
  });

  it('fills them anew for those who start in a place that died', async () => {
    await world().killInstance(slot);
    valueOf(await world().engine.ensureSlot(world().architecture, slotSpec(world(), { name: slot, colour: 'blue' })));
    await start(spec(), values());
    assert.equal((await world().secretsOf('contract-keeper'))['password'], 'hunter2');
  });

  it('makes another version another spec, and the same version sealed anew the same', async () => {
    const specOf = async (): Promise<string | undefined> => instanceIn(await observe(world()), 'contract-keeper')?.spec;
    const first = await specOf();
    const next = spec({ secrets: [delivery('password', 2), delivery('key', 3)] });
    const again = async (wanted: InstanceSpec): Promise<string | undefined> => {
      valueOf(await world().engine.removeInstance(world().architecture, wanted.name));
      await start(wanted, values('hunter3'));
      return specOf();
    };
    const second = await again(next);
    assert.notEqual(second, first);
    assert.equal((await world().secretsOf('contract-keeper'))['password'], 'hunter3');
    const resealed = (next.secrets ?? []).map((each) => ({ ...each, sealed: 'by another' }));
    assert.equal(await again({ ...next, secrets: resealed }), second);
  });

  it('gives them to a data path as to a service', async () => {
    const { engine, architecture } = world();
    valueOf(await engine.ensureSlot(architecture, slotSpec(world(), { name: 'contract-path', memory: 'sockets' })));
    await start({ ...pathSpec(world(), 'contract-path-secretive'), secrets: [delivery('password', 1)] }, values());
    assert.deepEqual(Object.keys(await world().secretsOf('contract-path-secretive')), ['password']);
    valueOf(await engine.removeInstance(architecture, 'contract-path-secretive'));
    valueOf(await engine.removeSlot(architecture, 'contract-path'));
  });

  it('leaves nothing of an instance that is removed, and counts no secrets among the data', async () => {
    valueOf(await world().engine.removeInstance(world().architecture, 'contract-keeper'));
    assert.deepEqual(await world().secretsOf('contract-keeper'), {});
    assert.deepEqual((await observe(world())).volumes, []);
  });

  it('keeps keys to secrets for controllers, beside those it has', async () => {
    const { engine, architecture, images } = world();
    for (const keys of [['KEY-1'], ['KEY-2', 'KEY-1'], ['KEY-1']])
      valueOf(await engine.keepKeys(architecture, { keys: keys.map((key) => new Secret(key)), image: images.sandbox }));
    assert.deepEqual((await world().keys()).toSorted(), ['KEY-1', 'KEY-2']);
    assert.deepEqual(
      (await observe(world())).volumes.map(({ name, owner }) => ({ name, owner })),
      [{ name: identityVolume, owner: { kind: 'controller', name: 'controller' } }],
    );
    for (const _ of [1, 2]) valueOf(await engine.removeVolume(architecture, identityVolume));
    assert.deepEqual((await observe(world())).volumes, []);
  });
}
