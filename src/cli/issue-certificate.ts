import type { App } from '../architecture/model.ts';
import { issueFor, vouchedDomain } from '../certificates/issue.ts';
import type { Problem } from '../problem.ts';
import { resolveEnvironment } from '../release/resolve-environment.ts';
import { done, failed, type Result } from '../result.ts';
import { Secret } from '../secret.ts';
import { type Added, addValue, wroteLines } from './add-value.ts';
import { ownAuthority } from './authority.ts';
import { answer, answerJson, type CommandResult, placeOf, type Session, textOption } from './command.ts';
import { progressReporter } from './report/choose-reporter.ts';
import { findReference, moveReference } from './secret-reference.ts';

/** `secret certificate <app>`: a certificate of this machine's own authority for the app's hosts, as next versions of its secrets. */
export async function issueCertificate(session: Session, name: string): CommandResult {
  const app = await appOf(session, name);
  if (!app.ok) return app;
  const { hosts, tls } = app.value;
  const authority = await ownAuthority(session.world);
  if (!authority.ok) return authority;
  const issued = await issueFor(hosts, authority.value, new Date(session.world.clock()));
  const values: [string, Secret][] =
    tls.certificate === tls.key
      ? [[tls.key, new Secret(`${issued.certificate}${issued.key.revealText()}`)]]
      : [
          [tls.certificate, new Secret(issued.certificate)],
          [tls.key, issued.key],
        ];
  const added: (Added & { where: string })[] = [];
  for (const [secret, value] of values) {
    const version = await addAndName(session, secret, value);
    if (!version.ok) return version;
    added.push(version.value);
  }
  const { file, made } = authority.value;
  if (session.input.json) answerJson(session, { app: name, hosts, secrets: added, authority: file, madeAuthority: made });
  else answer(session, [...added.flatMap((each) => [...wroteLines(each), `       ${each.where}`]), '', ...trustLines(file)].join('\n'));
  return done(0);
}

/** The next version, and the line that names it, moved where that can be done. */
async function addAndName(session: Session, secret: string, value: Secret): Promise<Result<Added & { where: string }>> {
  const reference = await findReference(session, secret);
  if (!reference.ok) return reference;
  const added = await addValue(session, secret, value);
  if (!added.ok) return added;
  const { version } = added.value;
  const { place, current } = reference.value;
  const named = `${place.file}:${place.line}`;
  if (current === version) return done({ ...added.value, where: `named at ${named}` });
  const moved = await moveReference(session, reference.value, version);
  return done({
    ...added.value,
    where: moved ? `moved at ${named}, version ${current} -> ${version}` : `move ${named} to version ${version}`,
  });
}

type Encrypted = { tls: NonNullable<App['tls']>; hosts: readonly [string, ...string[]] };

/** The app as the working folder says it. */
async function appOf(session: Session, name: string): Promise<Result<Encrypted>> {
  const delivery = await session.world.delivery();
  const reporter = progressReporter(session.world);
  const source = await delivery.evaluate({ place: placeOf(session), revision: 'HEAD', worktree: true, report: reporter.report });
  reporter.end();
  if (!source.ok) return source;
  await source.value.close();
  const resolved = resolveEnvironment(source.value.architecture, textOption(session.input, 'environment') ?? 'local');
  if (!resolved.ok) return resolved;
  const app = resolved.value.apps[name];
  if (app === undefined) return failed(unknownApp(name, Object.keys(resolved.value.apps)));
  const [first, ...more] = app.hosts;
  if (app.tls === undefined || first === undefined) return failed(withoutTls(name));
  const foreign = app.hosts.filter((host) => !`.${host}`.endsWith(`.${vouchedDomain}`));
  return foreign.length > 0 ? failed(notVouchedFor(foreign)) : done({ tls: app.tls, hosts: [first, ...more] });
}

const trustLines = (file: string): string[] => [
  `Whoever trusts ${file} takes these certificates, and for no other names than those below ${vouchedDomain}:`,
  `  Debian, Ubuntu  sudo cp ${file} /usr/local/share/ca-certificates/changeless.crt && sudo update-ca-certificates`,
  `  macOS           security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db ${file}`,
  '  Firefox         Settings, Certificates, Authorities, Import',
  `  curl            curl --cacert ${file} …`,
  `  Node            NODE_EXTRA_CA_CERTS=${file}`,
  '',
  'Next: commit what was written, and: changeless up',
];

const unknownApp = (name: string, known: readonly string[]): Problem => ({
  code: 'UNKNOWN_SUBJECT',
  what: `the architecture has no app ${name}`,
  why: `it has ${known.join(', ') || 'none'}`,
  safe: 'nothing was written',
});

const withoutTls = (name: string): Problem => ({
  code: 'USAGE',
  what: `app ${name} says of no secrets that they are its certificate and key`,
  safe: 'nothing was written',
  next: `tls: { certificate: '${name}Certificate', key: '${name}Key' } at the app in architecture.ts, and under secrets ${name}Certificate: secret({ version: 1 }), ${name}Key: secret({ version: 1 })`,
});

const notVouchedFor = (hosts: readonly string[]): Problem => ({
  code: 'USAGE',
  what: `the authority of this machine vouches for no host but those below ${vouchedDomain}, and not for ${hosts.join(', ')}`,
  why: 'who trusts it is to trust it with nothing else',
  safe: 'nothing was written',
  next: 'get a certificate from a public authority, and: changeless secret add <certificate> < certificate.pem',
});
