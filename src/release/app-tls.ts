import { byCodeUnit } from '../canonical-json.ts';
import type { Tls, UsedSecrets } from '../architecture/model.ts';
import type { ResolvedArchitecture } from './resolve-environment.ts';

/** The file among its secrets in which a data path finds its certificate; its key is beside it, or in it. */
export const certificateFile = 'tls.pem';

/** The secrets a data path with TLS gets, and their files: the proxy looks for the key under this name. */
export const tlsSecrets = ({ certificate, key }: Tls): UsedSecrets => ({ [key]: `${certificateFile}.key`, [certificate]: certificateFile });

/** Where a data path sends requests that come unencrypted; undefined where it lets them on. */
export const redirectPort = ({ core }: ResolvedArchitecture, { plain }: Tls): number | undefined =>
  plain === 'allow' ? undefined : core.publish.find(({ tls }) => tls)?.port;

/** The host names that the core passes encrypted connections on for, sorted. */
export const tlsHosts = ({ apps }: ResolvedArchitecture): string[] =>
  Object.values(apps)
    .flatMap(({ tls, hosts }) => (tls ? hosts : []))
    .toSorted(byCodeUnit);
