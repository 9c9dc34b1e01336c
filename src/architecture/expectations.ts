/** What values must look like, as plain predicates: the schema of what is written uses them. */

/** A DNS label in lower case; 40 leaves room for what is put before and after it in names on an engine. */
export const isName = (value: string): boolean => /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/.test(value);

/** A form of data: part of a volume's name. */
export const isFormat = (value: string): boolean => /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(value);

/** A secret is a folder of the repository, and a file for who gets it. */
export const isSecretName = (value: string): boolean => /^[A-Za-z][\w-]{0,63}$/.test(value);

export const isSecretFile = (value: string): boolean => /^[A-Za-z0-9_][\w.-]{0,99}$/.test(value);

export const isHostName = (value: string): boolean =>
  value.length <= 253 && value.split('.').every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label));

export const isSettingName = (value: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(value) && !value.startsWith('CHANGELESS_');

/** Relative, with forward slashes, and not leading out of where it starts; `.` is the start itself. */
export const isRelativePath = (value: string): boolean =>
  value === '.' || (!/[\\\u0000-\u001f]/.test(value) && value.replace(/^\.\//, '').split('/').every(isOrdinarySegment));

/** Absolute and below `/`, without `.` and `..`, and not where Changeless keeps its own. */
export const isImagePath = (value: string): boolean =>
  /^\/[^\u0000-\u001f:]*$/.test(value) && value.slice(1).split('/').every(isOrdinarySegment) && !/^\/changeless(\/|$)/.test(value);

export const isSize = (value: string): boolean => sizeBytes(value) > 0;

/** Bytes of `'512k'`, `'16m'`, `'2g'` or a number; NaN when it is none. */
export function sizeBytes(size: string | number): number {
  if (typeof size === 'number') return size;
  const match = /^(\d{1,9}(?:\.\d{1,3})?)([kmg])$/.exec(size);
  return match === null ? Number.NaN : Math.round(Number(match[1]) * unitBytes[match[2] as keyof typeof unitBytes]);
}

const unitBytes = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Address and port of `0.0.0.0:443` or `[::]:443`; undefined when it is not that. */
export function parsePublished(text: string): { address: string; port: number } | undefined {
  const match = /^(\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\]):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const port = Number(match[2]);
  return isPort(port) ? { address: (match[1] ?? '').replace(/^\[|\]$/g, ''), port } : undefined;
}

export const isPublished = (value: string): boolean => parsePublished(value) !== undefined;

export function isWebAddress(value: string): boolean {
  const { protocol, username, password } = URL.parse(value) ?? {};
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '';
}

/** A token is sent there, so only over TLS, or without leaving the machine. */
export function isSafeAddress(value: string): boolean {
  const { protocol, hostname, search, hash } = URL.parse(value) ?? {};
  if (!isWebAddress(value) || search !== '' || hash !== '') return false;
  return protocol === 'https:' || /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname ?? '');
}

/** `owner/name`. */
export const isRepositoryName = (value: string): boolean => /^[\w.-]+\/[\w.-]+$/.test(value) && !/\/\.{1,2}$|^\.{1,2}\//.test(value);

/** One certificate as PEM, or several. What is in them is the proxy's to judge. */
export const isCertificates = (value: string): boolean =>
  /^\s*(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+$/.test(value);

export const isPort = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= 65535;

const isOrdinarySegment = (segment: string): boolean => segment !== '' && segment !== '.' && segment !== '..';
