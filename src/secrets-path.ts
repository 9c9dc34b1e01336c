/** Where a secret's files are in an instance. */
export const secretsPath = '/run/secrets';
