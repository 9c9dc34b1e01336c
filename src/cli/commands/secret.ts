import { existsSync } from 'node:fs';
import path from 'node:path';
import { architectureFile } from '../../architecture/evaluate.ts';
import { isSecretName } from '../../architecture/expectations.ts';
import { done, failed, type Result } from '../../result.ts';
import { identitiesIn, recipientsOf } from '../../secrets/identities.ts';
import { recipientsFile } from '../../secrets/read-secrets.ts';
import { recipientLines } from '../../secrets/secrets-folder.ts';
import { type Added, addValue, newRecipient, wroteLines } from '../add-value.ts';
import { answer, answerJson, type CommandResult, type Session } from '../command.ts';
import { identityPlace } from '../identity-place.ts';
import { typedValue } from '../typed-value.ts';

const actions = ['init', 'add', 'rotate', 'list', 'certificate'] as const;

/** `secret init`, `add <name>`, `rotate <name>`, `list`, `certificate <app>`: values in files that only keys open. */
export async function run(session: Session): CommandResult {
  const [action, name] = session.input.arguments;
  if (action === undefined || !actions.some((each) => each === action)) return failed(unknownAction(action));
  if (!existsSync(path.join(session.input.folder, architectureFile))) return failed(notHere(session.input.folder));
  if (action === 'list') return (await import('../list-secrets.ts')).listSecrets(session);
  if (action === 'init') return init(session);
  if (action === 'certificate') return certificate(session, name);
  if (name === undefined || !isSecretName(name)) return failed(badName(action, name));
  return action === 'add' ? add(session, name) : rotate(session, name);
}

async function certificate(session: Session, app: string | undefined): CommandResult {
  return app === undefined ? failed(noApp) : (await import('../issue-certificate.ts')).issueCertificate(session, app);
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

async function addTyped(session: Session, name: string): Promise<Result<Added>> {
  const value = await typedValue(session, name);
  return value.ok ? addValue(session, name, value.value) : value;
}

async function add(session: Session, name: string): CommandResult {
  const added = await addTyped(session, name);
  if (!added.ok) return added;
  const { version, file, identity } = added.value;
  if (session.input.json) answerJson(session, { name, version, file, identity: identity ?? null });
  else
    answer(
      session,
      [
        ...wroteLines(added.value),
        `use it  secrets: { ${name}: secret({ version: ${version} }) } in architecture.ts, and commit both`,
      ].join('\n'),
    );
  return done(0);
}

/** The next version, and the line of `architecture.ts` that names it, moved where that is one number that is written there. */
async function rotate(session: Session, name: string): CommandResult {
  const { findReference, moveReference } = await import('../secret-reference.ts');
  const reference = await findReference(session, name);
  if (!reference.ok) return reference;
  const added = await addTyped(session, name);
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
        ...wroteLines(added.value),
        moved
          ? `moved  ${where}    version ${current} -> ${version}; commit both, and: changeless up`
          : `move   ${where} to version ${version}, commit both, and: changeless up`,
      ].join('\n'),
    );
  return done(0);
}

const unknownAction = (action: string | undefined) => ({
  code: 'USAGE' as const,
  what: action === undefined ? 'secret wants to be told what to do' : `secret does not ${action}`,
  why: `it knows ${actions.join(', ')}`,
  safe: 'nothing was changed',
  next: 'changeless secret --help',
});

const noApp = {
  code: 'USAGE' as const,
  what: 'secret certificate wants the name of an app',
  safe: 'nothing was changed',
  next: 'changeless secret certificate catalog    for an app whose hosts are below localhost',
};

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
