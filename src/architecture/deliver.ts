import type { Architecture } from './model.ts';

/** Whether pushes deliver it, so that its releases have a builder. */
export const isDelivered = ({ deliver }: Pick<Architecture, 'deliver'>): boolean => deliver !== undefined;

/** What the address of a delivered repository may be, for messages. */
export const deliveredExpectation =
  'the address of a git repository without user and password: https://…, ssh://…, user@host:path, or http:// of this machine';

const WEB = /^https:\/\/[A-Za-z0-9][\w.-]*(:\d{1,5})?(\/[\w.~+%-]+)+\/?$/;
const OWN = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?(\/[\w.~+%-]+)+\/?$/;
const SSH = /^ssh:\/\/([A-Za-z0-9][\w.-]*@)?[A-Za-z0-9][\w.-]*(:\d{1,5})?(\/[\w.~+%-]+)+\/?$/;
const SCP = /^[A-Za-z0-9][\w.-]*@[A-Za-z0-9][\w.-]*:[\w.~/+%][\w.~/+%-]*$/;

/**
 * Whether a builder fetches from there. Not taken is what git would run (`ext::`), what it would take for an option, what is readable on the
 * way, files of the builder's own, and passwords, which belong into a secret.
 */
export const isDeliveredAddress = (address: string): boolean => [WEB, OWN, SSH, SCP].some((form) => form.test(address));

/** The last two names of its path, as forges name repositories: `owner/name`. Undefined where it has only one. */
export function repositoryName(address: string): string | undefined {
  const path = address.replace(/^[a-z]+:\/\/[^/]+\//, '').replace(/^[^/:]+:/, '');
  return /([^/]+\/[^/]+?)(\.git)?\/?$/.exec(path)?.[1];
}
