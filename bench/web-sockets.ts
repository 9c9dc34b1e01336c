import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';

/** A WebSocket that is held open and says nothing. `cut`: it ended before it was let go. */
export type Held = { host: string; cut: boolean; letGo: () => void };

/** Opens one by hand; rejects unless the server switches protocols. */
export function holdWebSocket({ port, host }: { port: number; host: string }): Promise<Held> {
  const socket = connect({ host: '127.0.0.1', port });
  const held: Held & { done: boolean } = {
    host,
    cut: false,
    done: false,
    letGo: () => {
      held.done = true;
      socket.destroy();
    },
  };
  const key = randomBytes(16).toString('base64');
  socket.write(
    `GET / HTTP/1.1\r\nhost: ${host}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n\r\n`,
  );
  return new Promise((resolve, reject) => {
    socket.once('data', (answer) =>
      String(answer).startsWith('HTTP/1.1 101') ? resolve(held) : reject(new Error(`${host} answered ${String(answer).slice(0, 12)}`)),
    );
    socket.on('error', reject);
    socket.on('close', () => {
      held.cut = !held.done;
      reject(new Error(`${host} ended the connection`));
    });
  });
}
