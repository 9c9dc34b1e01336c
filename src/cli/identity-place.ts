import path from 'node:path';
import { type Input, textOption } from './command.ts';
import type { IdentityPlace } from '../secrets/identities.ts';
import type { World } from './world.ts';

/** The keys to secrets on this machine: the file that is named, else the user's folder of them. */
export function identityPlace({ cwd, env, configFolder }: World, input: Input): IdentityPlace {
  const file = textOption(input, 'identity') ?? env['CHANGELESS_IDENTITY'];
  return file === undefined || file === '' ? { folder: path.join(configFolder, 'identities') } : { file: path.resolve(cwd, file) };
}
