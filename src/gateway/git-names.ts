const isControl = /[\u0000-\u0020\u007f]/;

/** As `git check-ref-format` has it, for what stands behind `refs/heads/`, but for a name that a command could take for an option. */
export function isBranchName(name: string): boolean {
  if (name.length === 0 || name.length > 255 || name === '@' || name.startsWith('-') || name.endsWith('.')) return false;
  if (isControl.test(name) || /[~^:?*[\\]|\.\.|@\{|\/\//.test(name)) return false;
  return name.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'));
}

export const isCommit = (text: unknown): text is string => typeof text === 'string' && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text);

/** Git's way to say that there is none. */
export const isNoCommit = (commit: string): boolean => /^0+$/.test(commit);

/** `owner/name`. */
export const isRepositoryName = (text: unknown): text is string =>
  typeof text === 'string' && /^[A-Za-z0-9][\w.-]{0,99}\/[\w.-]{1,100}$/.test(text) && !/\/\.{1,2}$/.test(text);
