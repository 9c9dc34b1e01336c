import { digestOf, type ComponentKey } from '../digest.ts';
import type { ComponentInputs } from './manifest.ts';

/**
 * The name of a component's image before it is built: equal inputs, equal key, on any machine. Members are named one by
 * one, so that what else an object carries never enters.
 */
export function componentKey(inputs: ComponentInputs): ComponentKey {
  const { tree, dockerfile, target, arguments: buildArguments, tests, bases, platform, builder } = inputs;
  return digestOf({ tree, dockerfile, target, arguments: buildArguments, tests, bases, platform, builder }) as string as ComponentKey;
}
