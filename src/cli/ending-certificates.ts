import { connect } from 'node:tls';
import type { ResolvedArchitecture } from '../release/resolve-environment.ts';
import type { World } from './world.ts';

/** A certificate that an app shows its clients, which ends soon or has ended. */
export type EndingCertificate = { app: string; host: string; endsAt: string };

const soonMs = 14 * 86_400_000;
const answerLimitMs = 1_000;

/**
 * Which of the certificates that clients are shown end within 14 days. Whoever asks the app sees its certificate, no key is needed;
 * so it is asked, where the engine is this machine's. Who does not answer in a second is passed over.
 */
export async function endingCertificates(
  world: Pick<World, 'env' | 'clock'>,
  { core, apps }: Pick<ResolvedArchitecture, 'core' | 'apps'>,
): Promise<EndingCertificate[]> {
  const published = core.publish.find(({ tls }) => tls);
  const engine = world.env['DOCKER_HOST'] ?? '';
  if (published === undefined || (engine !== '' && !engine.startsWith('unix:'))) return [];
  const now = Date.parse(world.clock());
  const shown = await Promise.all(
    Object.entries(apps).map(
      async ([
        app,
        {
          tls,
          hosts: [host],
        },
      ]) => {
        const end = tls && host !== undefined ? await endShown(published, host) : undefined;
        return end === undefined || host === undefined ? [] : [{ app, host, end }];
      },
    ),
  );
  return shown.flat().flatMap(({ app, host, end }) => (end - now > soonMs ? [] : [{ app, host, endsAt: new Date(end).toISOString() }]));
}

const everywhere: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

function endShown({ address, port }: { address: string; port: number }, servername: string): Promise<number | undefined> {
  const host = everywhere.has(address) ? 'localhost' : address;
  return new Promise((resolve) => {
    // Whether it is trusted is not what is asked.
    const socket = connect({ host, port, servername, rejectUnauthorized: false, timeout: answerLimitMs });
    const end = (found: number | undefined): void => {
      socket.destroy();
      resolve(found);
    };
    socket.on('secureConnect', () => end(socket.getPeerX509Certificate()?.validToDate.getTime()));
    for (const failure of ['error', 'timeout', 'close']) socket.on(failure, () => end(undefined));
  });
}
