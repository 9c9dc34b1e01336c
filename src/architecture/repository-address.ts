import path from 'node:path';

/** What a repository's address may be, for messages. */
export const addressExpectation = 'the address of a git repository (https://…, ssh://…, user@host:path, file:///… or an absolute path)';

const URL_FORM = /^(https?|ssh|git|file):\/\/[^\s-]\S*$/;
const SCP_FORM = /^[\w.]+@[\w][\w.-]*:[^\s:-]\S*$/;

/**
 * Whether git may be given the address. Refused are what it would take for an option, transports that run a program
 * (`ext::sh -c …`), and relative paths, which mean another repository in another folder.
 */
export function isRepositoryAddress(address: string): boolean {
  if (address.includes('::') || /[\u0000-\u001f]/.test(address)) return false;
  return URL_FORM.test(address) || SCP_FORM.test(address) || path.isAbsolute(address);
}
