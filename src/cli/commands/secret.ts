import { existsSync } from 'node:fs';
import path from 'node:path';
import { architectureFile } from '../../architecture/evaluate.ts';
import { isSecretName } from '../../architecture/expectations.ts';
import { done, failed, type Result } from '../../result.ts';
import { createIdentity, identitiesIn, recipientsOf } from '../../secrets/identities.ts';
import { recipientsFile } from '../../secrets/read-secrets.ts';
import { addRecipient, addVersion, recipientLines } from '../../secrets/secrets-folder.ts';
import { answer, answerJson, type CommandResult, type Session } from '../command.ts';
import { identityPlace } from '../identity-place.ts';
import { typedValue } from '../typed-value.ts';

const actions = ['init', 'add', 'rotate', 'list'] as const;

/** `secret init`, `add <name>`, `rotate <name>`, `list`: values in files that only keys open. */
export async function run(session: Session): CommandResult {
  const [action, name] = session.input.arguments;
  if (action === undefined || !actions.some((each) => each === action)) return failed(unknownAction(action));
  if (!existsSync(path.join(session.input.folder, architectureFile))) return failed(notHere(session.input.folder));
  if (action === 'list') return (await import('../list-secrets.ts')).listSecrets(session);
  if (action === 'init') return init(session);
  if (name === undefined || !isSecretName(name)) return failed(badName(action, name));
  return action === 'add' ? add(session, name) : rotate(session, name);
}

/** A key of this machine among the recipients; what is there already stays as it is. */
async function init(session: Session): CommandResult {
  const known = await ownRecipient(session);
  const { recipient, file } = known ? { recipient: known, file: undefined } : await newRecipient(session);
  if (session.input.json) answerJson(session, { recipient, recipients: recipientsFile, created: file ?? null });
  else
    answer(
      session,
      file === undefined
        ? `a key of this machine is among the recipients already: ${recipient}`
        : [
            `made   ${file}    the key: keep it outside of the repository, and a copy in a safe place`,
            `wrote  ${recipientsFile}    what is added from now on is encrypted for it; commit it`,
          ].join('\n'),
    );
  return done(0);
}

/** A recipient of the folder whose key is on this machine. */
async function ownRecipient({ world, input }: Session): Promise<string | undefined> {
  const lines = (await recipientLines(input.folder)) ?? [];
  const own = await recipientsOf((await identitiesIn(identityPlace(world, input))).keys);
  return lines.find((line) => own.includes(line));
}

/** The named identity's key where that is there already, else a new one. */
async function newRecipient({ world, input }: Session): Promise<{ recipient: string; file: string }> {
  const place = identityPlace(world, input);
  const [named] = 'file' in place ? await recipientsOf((await identitiesIn(place)).keys) : [];
  const made = named !== undefined && 'file' in place ? { recipient: named, file: place.file } : await createIdentity(place);
  await addRecipient(input.folder, made.recipient);
  return made;
}

type Added = { name: string; version: number; file: string; identity?: string };

async function add(session: Session, name: string): CommandResult {
  const added = await addValue(session, name);
  if (!added.ok) return added;
  const { version, file, identity } = added.value;
  if (session.input.json) answerJson(session, { name, version, file, identity: identity ?? null });
  else
    answer(
      session,
      [...wrote(added.value), `use it  secrets: { ${name}: secret({ version: ${version} }) } in architecture.ts, and commit both`].join(
        '\n',
      ),
    );
  return done(0);
}

/** The next version, and the line of `architecture.ts` that names it, moved where that is one number that is written there. */
async function rotate(session: Session, name: string): CommandResult {
  const { findReference, moveReference } = await import('../secret-reference.ts');
  const reference = await findReference(session, name);
  if (!reference.ok) return reference;
  const added = await addValue(session, name);
  if (!added.ok) return added;
  const { version, file } = added.value;
  const { place, current } = reference.value;
  const moved = await moveReference(session, reference.value, version);
  const where = `${place.file}:${place.line}`;
  if (session.input.json) answerJson(session, { name, version, file, from: current ?? null, place, moved });
  else
    answer(
      session,
      [
        ...wrote(added.value),
        moved
          ? `moved  ${where}    version ${current} -> ${version}; commit both, and: changeless up`
          : `move   ${where} to version ${version}, commit both, and: changeless up`,
      ].join('\n'),
    );
  return done(0);
}

async function addValue(session: Session, name: string): Promise<Result<Added>> {
  const value = await typedValue(session, name);
  if (!value.ok) return value;
  const isFirst = (await recipientLines(session.input.folder)) === undefined;
  const identity = isFirst ? (await newRecipient(session)).file : undefined;
  const added = await addVersion(session.input.folder, name, value.value);
  return added.ok ? done({ name, ...added.value, ...(identity !== undefined && { identity }) }) : added;
}

const wrote = ({ name, version, file, identity }: Added): string[] => [
  ...(identity === undefined ? [] : [`made   ${identity}    the key: keep it outside of the repository, and a copy in a safe place`]),
  `wrote  ${file}    version ${version} of ${name}, encrypted`,
];

const unknownAction = (action: string | undefined) => ({
  code: 'USAGE' as const,
  what: action === undefined ? 'secret wants to be told what to do' : `secret does not ${action}`,
  why: `it knows ${actions.join(', ')}`,
  safe: 'nothing was changed',
  next: 'changeless secret --help',
});

const badName = (action: string, name: string | undefined) => ({
  code: 'USAGE' as const,
  what: name === undefined ? `secret ${action} wants a name` : `${name} cannot be the name of a secret`,
  why: 'a name has letters, digits, - and _, and starts with a letter; a value is never an argument',
  safe: 'nothing was changed',
  next: `changeless secret ${action} dbPassword    reads the value from the terminal, or from standard input`,
});

const notHere = (folder: string) => ({
  code: 'NO_ARCHITECTURE' as const,
  what: `${folder} holds no ${architectureFile}`,
  safe: 'nothing was changed',
  next: 'changeless -C <its folder> secret ...',
});
