import type { SealedSecrets } from '../../src/release/manifest.ts';
import { Secret } from '../../src/secret.ts';

/** A key that opens nothing but what is below: the same in each run, so that releases have the same ids. */
export const fixtureIdentity = new Secret('AGE-SECRET-KEY-1YMHTV6XPD4HLWTLAJUQTUSE8KER0G8EA09KQJSVHMM7G55YSCRHQ6NYCME');

/** Two versions, of which each holds `value <version>`. */
export const fixtureSecrets: SealedSecrets = {
  dbPassword: {
    '1': `-----BEGIN AGE ENCRYPTED FILE-----
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBNL1hKNGFQSmpWakJtNnJB
M2tmVklrbzNCUDRkY2FtME9qNklzUno3RkRBClorV29hZ3p5U1pVRjZzNFdvUzBk
Y29YQy9iTE1wQjJ2ZzdvQlNKU1BvSlEKLS0tIHNFazVjdWtvMDluc05hZzU3eUIy
YlNUYU54dEFra2I3b0xrcXFMQ3JJdzQKTf125JmnFmHnPqiEgSy1xc1ktB1N8hbv
QVBUc1qK5HTLnR1+YH1v
-----END AGE ENCRYPTED FILE-----
`,
    '2': `-----BEGIN AGE ENCRYPTED FILE-----
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBKdHhicnRIZmtCc2xOVzJM
bXJsZ3FwUjVMTzBHNVd2WHVnNnVPVEZnQ1d3CjZzdzBQY3djT1RBWnBCenFmRktR
cjVQSXZxNVo2TkFXbmlTaTBuS0Y4TFkKLS0tIGpQSjUwbkE5Vk1iTGVwR28zdHZV
VjUvU24vcUVPSmJKYlZTUFhCMUpJdDgK1fSEGwlY0xp4kSlKf41rcNZLfnFCPf5+
OCbztSaKzQ2FomhgmKae
-----END AGE ENCRYPTED FILE-----
`,
  },
};
