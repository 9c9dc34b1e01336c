import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export type Address = { host: string; port: number };

/** `refused`, each once: connections that were, and answers that were none of a server that is ready. One that ended with its server is neither. */
export type Told = { answered: number; refused: string[] };

/** Each connection costs a port for a minute. */
const PAUSE_MS = 20;

/** Raw clients, which know nothing of a server that starts: each asks once on a connection of its own, again and again. */
export function startClients(address: Address, { ask = 'PING\r\n', ready = /^\+PONG/ } = {}): { stop: () => Promise<Told> } {
  const told: Told = { answered: 0, refused: [] };
  const control = { stopped: false };
  const run = async (): Promise<void> => {
    while (!control.stopped) {
      const answer = await once(address, ask);
      if (ready.test(answer)) told.answered += 1;
      else if (answer !== '' && !told.refused.includes(answer)) told.refused.push(answer);
      await pause(PAUSE_MS);
    }
  };
  const running = Array.from({ length: 4 }, run);
  return {
    async stop() {
      control.stopped = true;
      await Promise.all(running);
      return told;
    },
  };
}

/** What was answered first; nothing where the connection ended before. */
function once(address: Address, ask: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect({ ...address, noDelay: true }, () => socket.write(ask, 'latin1'));
    const tell = (answer: string): void => {
      resolve(answer);
      socket.destroy();
    };
    socket.setEncoding('latin1').once('data', (answer: string) => tell(answer));
    socket.on('error', (cause: NodeJS.ErrnoException) => tell(cause.code === 'ECONNRESET' ? '' : String(cause)));
    socket.on('close', () => tell(''));
  });
}
