import { identityVolume, type Engine } from '../engine/engine.ts';
import type { ReleaseInputs } from '../release/manifest.ts';
import { done, type Result } from '../result.ts';
import type { Secret } from '../secret.ts';
import type { Locate } from '../secrets/read-secrets.ts';
import type { Session } from './command.ts';
import { identityPlace } from './identity-place.ts';
import { manifestOf } from './live.ts';
import type { ReleaseImage } from './releases.ts';

type Keys = { session: Session; engine: Engine; inputs: ReleaseInputs; environment: string; locate?: Locate };

/**
 * The keys that open what the release uses; undefined where it uses none, or where this machine cannot open all of it but the
 * engine has been given keys by another: then its controller judges.
 */
export async function keysFor({ session, engine, inputs, environment, locate }: Keys): Promise<Result<Secret[] | undefined>> {
  if (inputs.secrets === undefined) return done(undefined);
  const [{ identitiesIn }, { openingKeys }] = await Promise.all([import('../secrets/identities.ts'), import('../secrets/opening-keys.ts')]);
  const identities = await identitiesIn(identityPlace(session.world, session.input));
  const keys = await openingKeys({ architecture: inputs.architecture, secrets: inputs.secrets, environment }, identities, locate);
  if (keys.ok) return keys.value.length === 0 ? done(undefined) : keys;
  const observed = await engine.observe(inputs.architecture.name);
  const isKept = observed.ok && observed.value.volumes.some(({ name }) => name === identityVolume);
  return isKept && identities.exposed.length === 0 ? done(undefined) : keys;
}

/** Gives the engine the keys that the release needs, so that its controller can fill memory again without anybody. */
export async function handOverKeys(session: Session, engine: Engine, target: ReleaseImage): Promise<Result<void>> {
  const manifest = await manifestOf(session.world, engine, target.image);
  if (manifest?.inputs.secrets === undefined) return done(undefined);
  const keys = await keysFor({ session, engine, inputs: manifest.inputs, environment: target.environment });
  if (!keys.ok) return keys;
  if (keys.value === undefined) return done(undefined);
  return engine.keepKeys(manifest.inputs.architecture.name, { keys: keys.value, image: manifest.outputs.sandbox });
}
