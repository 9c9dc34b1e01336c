import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import { GeneralName, GeneralSubtree, GeneralSubtrees, id_ce_nameConstraints, NameConstraints } from '@peculiar/asn1-x509';
import * as x509 from '@peculiar/x509';
import { Secret } from '../secret.ts';

/** A certificate and its key, as PEM. */
export type Certified = { certificate: string; key: Secret };

/** All that an authority made here vouches for: names that lead to the machine that asks. */
export const vouchedDomain = 'localhost';

const dayMs = 86_400_000;
const authorityDays = 3650;
/** Shorter than what any client takes for too long. */
const issuedDays = 397;

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const signing = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** A new authority that is good for names below `localhost` and no others, whoever trusts it: its key vouches for nobody's site. */
export async function makeAuthority(name: string, now: Date): Promise<Certified> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...lasting(now, authorityDays),
    name: [{ CN: [name] }],
    keys,
    signingAlgorithm: signing,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      new x509.Extension(id_ce_nameConstraints, true, constraints()),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: await keyText(keys.privateKey) };
}

/** A certificate for the hosts, which the authority vouches for, with a key of its own. */
export async function issueFor(hosts: readonly [string, ...string[]], authority: Certified, now: Date): Promise<Certified> {
  const [keys, issuer] = [await newKeys(), new x509.X509Certificate(authority.certificate)];
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    x509.PemConverter.decodeFirst(authority.key.revealText()),
    algorithm,
    false,
    ['sign'],
  );
  const certificate = await x509.X509CertificateGenerator.create({
    ...lasting(now, issuedDays),
    subject: [{ CN: [hosts[0]] }],
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: signing,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(hosts.map((value) => ({ type: 'dns', value }))),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: await keyText(keys.privateKey) };
}

const newKeys = (): Promise<webcrypto.CryptoKeyPair> => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

async function keyText(key: webcrypto.CryptoKey): Promise<Secret> {
  return new Secret(`${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`);
}

/** From an hour before, for clocks that are behind. */
const lasting = (now: Date, days: number) => ({
  notBefore: new Date(now.getTime() - 3_600_000),
  notAfter: new Date(now.getTime() + days * dayMs),
});

const constraints = (): ArrayBuffer =>
  AsnConvert.serialize(
    new NameConstraints({
      permittedSubtrees: new GeneralSubtrees([new GeneralSubtree({ base: new GeneralName({ dNSName: vouchedDomain }) })]),
    }),
  );
