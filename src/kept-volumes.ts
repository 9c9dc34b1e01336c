/** The volume with the ledger, and where controllers and gateways find it. */
export const ledgerVolume = 'ledger';
export const ledgerFolder = '/ledger';
/** Beside the ledger: the output of jobs' steps. */
export const logsFolder = `${ledgerFolder}/logs`;

/** The volume that gateways write to, and where they and controllers find it. */
export const inboxVolume = 'inbox';
export const inboxFolder = '/inbox';

/** The volume with what was pushed to gateways, which builders read, and the bare repository in it. */
export const gitVolume = 'git';
export const gitFolder = '/git';
export const gitRepository = 'repository.git';
