import assert from 'node:assert/strict';
import type { BodyId } from '../../src/digest.ts';
import type { ObservedVolume, VolumeCopy, VolumeSpec } from '../../src/engine/engine.ts';
import { body, type GetWorld, observe, onceCommands, store, valueOf } from './contract-fixture.ts';
import { after, before, it } from './story.ts';

const data: VolumeSpec = { name: 'contract-orders', owner: store };
const kept: VolumeSpec = { name: 'contract-orders.snapshot', owner: store };

/** What an engine does with data: it copies them whole or says that it did not, and keeps what was noted of them. */
export function copiesContract(world: GetWorld): void {
  const snapshot = (): VolumeCopy => ({ from: data.name, to: kept, image: world().images.sandbox });
  const seen = async (name: string): Promise<ObservedVolume | undefined> =>
    (await observe(world())).volumes.find((volume) => volume.name === name);

  before(async () => {
    valueOf(await world().engine.ensureVolume(world().architecture, data));
    await world().volumes.write(data.name, 'ten orders');
  });
  after(async () => {
    for (const { name } of [data, kept]) valueOf(await world().engine.removeVolume(world().architecture, name));
  });

  it('shows a copy that was broken off as unfinished', async () => {
    await world().breakCopy(snapshot());
    assert.deepEqual(await seen(kept.name), { ...kept, unfinished: true });
    assert.deepEqual(await seen(data.name), data);
  });

  it('makes the copy whole when it is asked again, and leaves what was copied as it was', async () => {
    valueOf(await world().engine.copyVolume(world().architecture, snapshot()));
    assert.deepEqual(await seen(kept.name), kept);
    assert.deepEqual([await world().volumes.read(kept.name), await world().volumes.read(data.name)], ['ten orders', 'ten orders']);
  });

  it('puts a copy back over what was written since', async () => {
    await world().volumes.write(data.name, 'damaged');
    const back: VolumeCopy = { from: kept.name, to: data, image: world().images.sandbox };
    await world().breakCopy(back);
    assert.equal((await seen(data.name))?.unfinished, true);
    for (const _ of [1, 2]) valueOf(await world().engine.copyVolume(world().architecture, back));
    assert.deepEqual(await seen(data.name), data);
    assert.equal(await world().volumes.read(data.name), 'ten orders');
  });

  it('upgrades a copy before it is whole, and leaves it unfinished when that fails', async () => {
    const upgrade = (command: readonly string[]): VolumeCopy => ({
      ...snapshot(),
      upgrade: { image: world().images.service, command, path: '/data' },
    });
    const broken = await world().engine.copyVolume(world().architecture, upgrade(onceCommands.fails));
    assert.equal(!broken.ok && broken.problem.code, 'UPGRADE_FAILED');
    assert.equal((await seen(kept.name))?.unfinished, true);
    valueOf(await world().engine.copyVolume(world().architecture, upgrade(onceCommands.upgrades)));
    assert.deepEqual(await seen(kept.name), kept);
    assert.deepEqual(
      [await world().volumes.read(kept.name), await world().volumes.read(data.name)],
      ['ten orders, upgraded', 'ten orders'],
    );
  });

  it('notes whose body was let at the data, the last one alone, and forgets it with the volume', async () => {
    const later = 'dd'.repeat(32) as BodyId;
    for (const next of [body, later, later]) valueOf(await world().engine.noteBody(world().architecture, data, next));
    assert.deepEqual(await seen(data.name), { ...data, bodies: [later] });
    assert.deepEqual(await seen(kept.name), kept);
    valueOf(await world().engine.removeVolume(world().architecture, data.name));
    assert.equal(await seen(data.name), undefined);
    valueOf(await world().engine.ensureVolume(world().architecture, data));
    assert.deepEqual(await seen(data.name), data);
  });

  it('removes a half copy with what was noted of it', async () => {
    await world().breakCopy(snapshot());
    for (const _ of [1, 2]) valueOf(await world().engine.removeVolume(world().architecture, kept.name));
    assert.equal(await seen(kept.name), undefined);
    valueOf(await world().engine.ensureVolume(world().architecture, kept));
    assert.deepEqual(await seen(kept.name), kept);
  });
}
