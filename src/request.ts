import type { ReleaseId } from './digest.ts';

/**
 * What someone asks of the controller in charge. `go-back`: from the release that is live to the one before, while that one is
 * still there. `let-live`, `drop`: what becomes of the release that is held. `scale`: how many instances a service has.
 */
export type Request =
  | { ask: 'go-back' | 'let-live' | 'drop'; release: ReleaseId }
  | { ask: 'scale'; app: string; service: string; count: number };

/** The words of a request, as they are written on it. */
export const requestText = (request: Request): string =>
  request.ask === 'scale' ? `scale ${request.app} ${request.service} ${request.count}` : `${request.ask} ${request.release}`;

/** Words that were written down, read again; undefined for any that this program does not know. */
export function parseRequest(text: string): Request | undefined {
  const ofRelease = /^(go-back|let-live|drop) ([0-9a-f]{64})$/.exec(text);
  if (ofRelease) return { ask: ofRelease[1] as 'go-back' | 'let-live' | 'drop', release: ofRelease[2] as ReleaseId };
  const scale = /^scale (\S+) (\S+) (\d{1,6})$/.exec(text);
  return scale ? { ask: 'scale', app: scale[1] ?? '', service: scale[2] ?? '', count: Number(scale[3]) } : undefined;
}
