import { certificateMistakes } from '../certificates/certificate-mistakes.ts';
import type { Tls } from '../architecture/model.ts';
import type { Finding, Problem } from '../problem.ts';
import type { ReleaseInputs } from '../release/manifest.ts';
import { resolveEnvironment } from '../release/resolve-environment.ts';
import { sealedValue } from '../release/secret-references.ts';
import { done, failed, type Result } from '../result.ts';
import type { Secret } from '../secret.ts';
import { open } from '../secrets/age.ts';
import { identitiesIn } from '../secrets/identities.ts';
import { type Locate, versionPath } from '../secrets/read-secrets.ts';
import type { Session } from './command.ts';
import { identityPlace } from './identity-place.ts';

export type CertificateCheck = { session: Session; inputs: ReleaseInputs; environment: string; locate?: Locate };

/**
 * Whether each app's certificate, as far as keys of this machine open it, fits its key and the app's hosts, and is good for a day more.
 * CERTIFICATE_UNFIT says of each that does not why, and where its version is written.
 */
export async function checkCertificates(check: CertificateCheck): Promise<Result<void>> {
  const { session, inputs, environment } = check;
  const resolved = resolveEnvironment(inputs.architecture, environment);
  if (!resolved.ok) return resolved;
  const { apps, secrets = {} } = resolved.value;
  const { keys } = await identitiesIn(identityPlace(session.world, session.input));
  const opened = (secret: string): Promise<Secret | undefined> =>
    open(sealedValue(inputs.secrets, { secret, version: secrets[secret]?.version ?? 0 }), keys);
  const unfit = await Promise.all(
    Object.entries(apps).map(async ([app, { tls, hosts }]) => {
      if (tls === undefined) return [];
      const [certificate, key] = await Promise.all([opened(tls.certificate), opened(tls.key)]);
      const served = { ...(certificate && { certificate }), ...(key && { key }), hosts, now: Date.parse(session.world.clock()) };
      return certificateMistakes(served).map((mistake): Unfit => ({ app, tls, ...mistake }));
    }),
  );
  const [first, ...more] = unfit.flat();
  if (first === undefined) return done(undefined);
  return failed(problemOf(first, await Promise.all([first, ...more].map((each) => findingOf(each, check)))));
}

type Unfit = { app: string; tls: Tls; of: 'certificate' | 'key'; what: string };

async function findingOf({ app, tls, of, what }: Unfit, { inputs, environment, locate }: CertificateCheck): Promise<Finding> {
  const place = await locate?.(versionPath(inputs.architecture, { secret: tls[of], environment }));
  return { ...(place && { place }), what: `app ${app}, secret ${tls[of]}: ${what}` };
}

const problemOf = ({ app, tls }: Unfit, findings: readonly Finding[]): Problem => ({
  code: 'CERTIFICATE_UNFIT',
  what: 'clients would not take what an app shows them',
  safe: 'nothing was built or changed',
  next: `changeless secret rotate ${tls.certificate} < certificate.pem    and the same with ${tls.key}, then commit both; for hosts below localhost: changeless secret certificate ${app}`,
  findings,
});
