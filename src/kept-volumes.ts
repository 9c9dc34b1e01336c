/** The volume with the ledger, and where controllers and gateways find it. */
export const ledgerVolume = 'ledger';
export const ledgerFolder = '/ledger';

/** The volume that gateways write to, and where they and controllers find it. */
export const inboxVolume = 'inbox';
export const inboxFolder = '/inbox';
