import { done, failed, type Result } from '../../result.ts';

/** USAGE for what is no address of a server, and for one to which a token would go in the clear. Gives its origin. */
export function serverAddress(text: string): Result<URL> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '')
    return failed(usage(`${JSON.stringify(text)} is no address of a server`));
  if (url.protocol === 'http:' && !isHere(url.hostname))
    return failed(usage(`${url.origin} is not encrypted, and not on this machine: the token could be read on the way`));
  return done(new URL(url.origin));
}

/** Names below localhost are this machine by RFC 6761, whatever a resolver knows of them. */
export const isLocalhost = (host: string): boolean => host === 'localhost' || host.endsWith('.localhost');

const isHere = (host: string): boolean => isLocalhost(host) || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

const usage = (what: string) => ({
  code: 'USAGE' as const,
  what,
  safe: 'nothing was sent to it',
  next: 'for example https://deliver.example.com, or http://deliver.localhost:8080',
});
