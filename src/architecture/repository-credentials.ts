/**
 * Variables that let git read a repository, and nothing else of them anywhere: not on a command line, not in a file. `secret`: of https a
 * token, or `user:token`; of ssh `keyFile` holds a private key. `home`: where hosts that were met are remembered.
 */
export function credentialsFor(
  address: string,
  { secret, keyFile, home }: { secret: string; keyFile: string; home: string },
): Record<string, string> {
  if (!/^https?:/.test(address)) return { GIT_SSH_COMMAND: sshCommand(home, keyFile) };
  const pair = secret.includes(':') ? secret : `x-access-token:${secret}`;
  return {
    GIT_CONFIG_COUNT: '1',
    // Of this address alone: whoever it may lead on to gets nothing.
    GIT_CONFIG_KEY_0: `http.${address}.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from(pair).toString('base64')}`,
  };
}

const sshCommand = (home: string, keyFile: string): string =>
  [
    `ssh -i ${keyFile} -o IdentitiesOnly=yes -o BatchMode=yes -o ConnectTimeout=20`,
    `-o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=${home}/known_hosts`,
  ].join(' ');
