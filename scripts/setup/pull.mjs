// Pulling an image where a registry answers, without waiting long where none does.
import { say } from './progress.mjs';

const FIRST_ANSWER_MS = 6_000;
const SILENCE_MS = 30_000;

/**
 * Whether the image could be pulled. Gives up when nothing was downloaded within `firstAnswerMs`, or when a download
 * that had begun says nothing for half a minute.
 */
export async function pullImage(client, name, firstAnswerMs = FIRST_ANSWER_MS) {
  const [repository, tag] = name.split(':');
  const giveUp = new AbortController();
  let timer = setTimeout(() => giveUp.abort(), firstAnswerMs);
  say(`  pulling ${name} …`);
  try {
    const target = `/images/create?fromImage=${repository}&tag=${tag}`;
    for await (const line of client.lines('POST', target, { signal: giveUp.signal })) {
      if (line.error) return givenUp(name, line.error);
      clearTimeout(timer);
      timer = setTimeout(() => giveUp.abort(), line.id ? SILENCE_MS : firstAnswerMs);
    }
    say(`  pulling ${name}: done`);
    return true;
  } catch (cause) {
    if (!giveUp.signal.aborted) throw cause;
    return givenUp(name, 'no registry answered in time');
  } finally {
    clearTimeout(timer);
  }
}

function givenUp(name, why) {
  say(`  ${name} cannot be pulled (${why}); it will be made here`);
  return false;
}
