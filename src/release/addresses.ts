import type { App, Publish } from '../architecture/model.ts';
import type { ResolvedArchitecture } from './resolve-environment.ts';

/**
 * Where a browser reaches each app: its host names at the core's published ports, the first port first. With TLS, those
 * that are encrypted, and the others only where they are not redirected.
 */
export function addressesOf({ core: { publish }, apps }: ResolvedArchitecture): Record<string, string[]> {
  const [encrypted, plain] = [publish.filter(({ tls }) => tls), publish.filter(({ tls }) => !tls)];
  const portsOf = ({ tls }: App): Publish[] => (tls ? [...encrypted, ...(tls.plain === 'allow' ? plain : [])] : plain);
  return Object.fromEntries(
    Object.entries(apps).map(([name, app]) => [name, portsOf(app).flatMap((port) => app.hosts.map((host) => address(host, port)))]),
  );
}

function address(host: string, { port, tls }: Publish): string {
  // What is published at 443 without TLS is encrypted by what stands before it.
  if (port === 443) return `https://${host}`;
  if (tls) return `https://${host}:${port}`;
  return port === 80 ? `http://${host}` : `http://${host}:${port}`;
}
