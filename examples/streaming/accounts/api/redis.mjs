// As much of a Redis client as counting needs: commands in order over one connection, which comes back by itself.
import net from 'node:net';

const AGAIN_MS = 100;
const MOST_SENDINGS = 2;

/**
 * A client of `redis://host:port`. A command whose connection broke before the answer is sent once more, so it happens
 * at least once; one that comes while Redis still reads its data waits for that. It fails with what Redis says is wrong,
 * or without an answer within `timeoutMs`.
 */
export function createRedis(url, { timeoutMs = 5_000 } = {}) {
  const { hostname, port } = new URL(url);
  const unsent = [];
  const unanswered = [];
  let socket;
  let received = '';

  function connect() {
    socket = net.connect(Number(port || 6379), hostname);
    socket.setEncoding('utf8').setNoDelay(true);
    socket
      .on('connect', send)
      .on('data', receive)
      .on('error', () => {})
      .on('close', reconnect);
  }

  function send() {
    if (socket.readyState !== 'open') return;
    for (const command of unsent.splice(0)) {
      command.sendings += 1;
      unanswered.push(command);
      socket.write(encode(command.words));
    }
  }

  function receive(chunk) {
    const lines = (received + chunk).split('\r\n');
    received = lines.pop();
    for (const line of lines) answered(unanswered.shift(), line);
  }

  function answered(command, line) {
    if (!line.startsWith('-LOADING')) return command?.end(line);
    // A server that was just started listens before it has read its data. It has done nothing yet.
    command.sendings -= 1;
    unsent.push(command);
    setTimeout(send, AGAIN_MS).unref();
  }

  function reconnect() {
    received = '';
    for (const command of unanswered.splice(0).toReversed()) {
      if (command.sendings < MOST_SENDINGS) unsent.unshift(command);
      else command.end('-the connection to the store broke twice');
    }
    setTimeout(connect, AGAIN_MS).unref();
  }

  function giveUp(command) {
    const index = unsent.indexOf(command);
    if (index >= 0) unsent.splice(index, 1);
    command.sendings = MOST_SENDINGS;
    command.end(`-the store did not answer ${command.words[0]} within ${timeoutMs} ms`);
    // What arrived later would be taken for the next command's answer.
    socket.destroy();
  }

  connect();
  return {
    command(...words) {
      return new Promise((resolve, reject) => {
        const command = { words, sendings: 0, end };
        const timer = setTimeout(() => giveUp(command), timeoutMs);
        unsent.push(command);
        send();

        function end(line) {
          clearTimeout(timer);
          if (line.startsWith('-')) reject(new Error(line.slice(1)));
          else resolve(line.startsWith(':') ? Number(line.slice(1)) : line.slice(1));
        }
      });
    },
    close() {
      socket.removeAllListeners('close').end();
    },
  };
}

function encode(words) {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
