export const isCommit = (text: unknown): text is string => typeof text === 'string' && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text);

/** Git's way to say that there is none. */
export const isNoCommit = (commit: string): boolean => /^0+$/.test(commit);

/** `owner/name`. */
export const isRepositoryName = (text: unknown): text is string =>
  typeof text === 'string' && /^[A-Za-z0-9][\w.-]{0,99}\/[\w.-]{1,100}$/.test(text) && !/\/\.{1,2}$/.test(text);
