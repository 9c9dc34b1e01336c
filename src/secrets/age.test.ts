import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Secret } from '../secret.ts';
import { isRecipient, newKey, open, recipientOf, sealFor } from './age.ts';
import { createIdentity, identitiesIn } from './identities.ts';
import { secretOpener } from './open-secret.ts';
import { addRecipient, addVersion, recipientsIn } from './secrets-folder.ts';

const inFolder = async (body: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'changeless-secrets-'));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
};

void test('a value is opened by the key of each recipient, and by no other', async () => {
  const [one, two, stranger] = await Promise.all([newKey(), newKey(), newKey()]);
  const value = new Secret(new Uint8Array([0, 10, 255]));
  const sealed = await sealFor([await recipientOf(one), await recipientOf(two)], value);
  for (const key of [one, two]) assert.deepEqual((await open(sealed, [stranger, key]))?.reveal(), value.reveal());
  assert.equal(await open(sealed, [stranger]), undefined);
  const lines = sealed.trimEnd().split('\n');
  const body = lines.at(-2) ?? '';
  const other = body.startsWith('A') ? 'B' : 'A';
  assert.equal(await open([...lines.slice(0, -2), other + body.slice(1), lines.at(-1)].join('\n'), [one]), undefined);
  assert.equal(await open('not an age file', [one]), undefined);
});

void test('a recipient is told from what is none', async () => {
  assert.equal(await isRecipient(await recipientOf(await newKey())), true);
  for (const text of ['', 'age1', 'AGE-SECRET-KEY-1', 'ssh-ed25519 AAAA']) assert.equal(await isRecipient(text), false, text);
});

void test('problems with a secret hold nothing of it, nor of the key', async () => {
  const [key, other] = await Promise.all([newKey(), newKey()]);
  const sealed = { secret: 'password', version: 2, sealed: await sealFor([await recipientOf(key)], new Secret('hunter2')) };
  const missing = await secretOpener(async () => undefined)(sealed);
  const unreadable = await secretOpener(async () => new Secret(`# a comment\n\n${other.revealText()}\n`))(sealed);
  assert.deepEqual([missing.ok, unreadable.ok], [false, false]);
  assert.match(JSON.stringify([missing, unreadable]), /IDENTITY_MISSING.*SECRET_UNREADABLE/);
  assert.doesNotMatch(JSON.stringify([missing, unreadable]), /hunter2|AGE-SECRET/);
  const opened = await secretOpener(async () => key)(sealed);
  assert.ok(opened.ok && opened.value.revealText() === 'hunter2');
  assert.equal(JSON.stringify(opened).includes('hunter2'), false);
});

void test('an identity that others may read is not used', () =>
  inFolder(async (folder) => {
    const { file } = await createIdentity({ folder });
    assert.equal((await identitiesIn({ folder })).keys.length, 1);
    await chmod(file, 0o640);
    assert.deepEqual(await identitiesIn({ folder }), { keys: [], exposed: [file] });
    assert.deepEqual(await identitiesIn({ file: path.join(folder, 'none') }), { keys: [], exposed: [] });
  }));

void test('a version is written once, for all recipients; a recipient that is none is told', () =>
  inFolder(async (folder) => {
    const before = await addVersion(folder, 'password', new Secret('1'));
    assert.ok(!before.ok && before.problem.code === 'RECIPIENTS_INVALID');
    const keys = await Promise.all([newKey(), newKey()]);
    for (const key of keys) await addRecipient(folder, await recipientOf(key));
    assert.deepEqual(await recipientsIn(folder), { ok: true, value: await Promise.all(keys.map(recipientOf)) });
    const added = await addVersion(folder, 'password', new Secret('one'));
    assert.deepEqual(added, { ok: true, value: { version: 1, file: 'secrets/password/1.age' } });
    const sealed = await readFile(path.join(folder, 'secrets/password/1.age'), 'utf8');
    for (const key of keys) assert.equal((await open(sealed, [key]))?.revealText(), 'one');
    await writeFile(path.join(folder, 'secrets/password/9.age'), '');
    const next = await addVersion(folder, 'password', new Secret('two'));
    assert.ok(next.ok && next.value.version === 10);
    await writeFile(path.join(folder, 'secrets/recipients.txt'), 'age1nobody\n');
    const invalid = await addVersion(folder, 'password', new Secret('three'));
    assert.ok(!invalid.ok && invalid.problem.code === 'RECIPIENTS_INVALID');
  }));
