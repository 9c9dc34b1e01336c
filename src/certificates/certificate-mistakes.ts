import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { Secret } from '../secret.ts';

/** What a data path would serve. What could not be opened is left out. `now`: milliseconds. */
export type Served = { certificate?: Secret; key?: Secret; hosts: readonly string[]; now: number };

/** What is wrong with it, and with which part: a text that names no value. */
export type CertificateMistake = { of: 'certificate' | 'key'; what: string };

const dayMs = 86_400_000;

/** Why clients would not take it, or the proxy could not use it; all reasons that can be known. */
export function certificateMistakes({ certificate, key, hosts, now }: Served): CertificateMistake[] {
  const leaf = certificate && parsed(() => new X509Certificate(certificate.reveal()));
  const own = key && parsed(() => createPrivateKey(key.revealText()));
  const opened = leaf === undefined ? [] : leaf === 'none' ? [of('certificate', 'expected a certificate as PEM')] : datesAndHosts(leaf);
  const keyed =
    own === undefined ? [] : own === 'none' ? [of('key', 'expected a private key as PEM, without a password')] : pair(leaf, own);
  return [...opened, ...keyed];

  function datesAndHosts(leaf: X509Certificate): CertificateMistake[] {
    const [from, to] = [leaf.validFromDate, leaf.validToDate];
    const bare = hosts.filter((host) => leaf.checkHost(host, { subject: 'never' }) === undefined);
    return [
      ...(from.getTime() > now ? [of('certificate', `the certificate begins only at ${from.toISOString()}`)] : []),
      ...(to.getTime() <= now ? [of('certificate', `the certificate ended at ${to.toISOString()}`)] : []),
      ...(to.getTime() > now && to.getTime() <= now + dayMs
        ? [of('certificate', `the certificate ends within a day, at ${to.toISOString()}`)]
        : []),
      ...bare.map((host) => of('certificate', `the certificate is not for ${host}, but for ${leaf.subjectAltName ?? 'no host name'}`)),
    ];
  }
}

function pair(leaf: X509Certificate | 'none' | undefined, key: KeyObject): CertificateMistake[] {
  if (leaf === undefined || leaf === 'none' || leaf.checkPrivateKey(key)) return [];
  return [of('key', 'the key is not that of the certificate')];
}

const of = (part: CertificateMistake['of'], what: string): CertificateMistake => ({ of: part, what });

/** What the parser says may hold parts of what it was given. */
function parsed<Item>(parse: () => Item): Item | 'none' {
  try {
    return parse();
  } catch {
    return 'none';
  }
}
