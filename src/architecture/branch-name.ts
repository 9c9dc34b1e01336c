const isControl = /[\u0000-\u0020\u007f]/;

/** As `git check-ref-format` has it, for what stands behind `refs/heads/`, but for a name that a command could take for an option. */
export function isBranchName(name: string): boolean {
  if (name.length === 0 || name.length > 255 || name === '@' || name.startsWith('-') || name.endsWith('.')) return false;
  if (isControl.test(name) || /[~^:?*[\\]|\.\.|@\{|\/\//.test(name)) return false;
  return name.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'));
}
