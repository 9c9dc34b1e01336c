import { stepsOf, type ServiceStep } from '../architecture/model.ts';
import type { ResolvedArchitecture } from '../release/resolve-environment.ts';
import type { Generations } from '../release/generation.ts';
import type { Component } from '../release/manifest.ts';
import { digestOf, type BodyId, type ImageId } from '../digest.ts';
import { colours, type Colour } from '../engine/engine.ts';
import type { AssembleRequest } from '../engine/image.ts';
import { labels } from '../engine/labels.ts';
import { wayBackPort, wayBackUrl, wayBackVariable } from '../way-back.ts';
import { configuredTag } from './image-names.ts';
import { describeTests } from './image-tests.ts';

/**
 * A service or a store's server as one environment configures it, or a step that runs from the service's image. The tag follows
 * from its inputs, not from its image.
 */
export type Configured = {
  component: string;
  unit: { kind: 'app' | 'store'; name: string };
  service: string;
  step?: Pick<ServiceStep, 'name' | 'command'>;
  /** Of a stage, which has an image in each colour: where it sends on. */
  next?: { colour: Colour; url: string };
  tag: string;
} & Configuration;

type Configuration = { body: BodyId; settings: Readonly<Record<string, string>>; files: Readonly<Record<string, string>> };

/** The name a store's one server goes by where a service's name is asked for. */
export const storeServer = 'server';

/** Moves when the same configuration makes another layer. */
const format = 1;

/** Who a configured image runs as when its component names nobody, or root. */
export const nobody = '65534:65534';

export type ConfiguredRequest = {
  architecture: ResolvedArchitecture;
  generations: Generations;
  components: Readonly<Record<string, Component>>;
};

/** Every configured image an environment needs. */
export function configuredImages({ architecture, generations, components }: ConfiguredRequest): Configured[] {
  const configured = (item: Omit<Configured, 'tag'>): Configured => {
    const { component, unit, service, step, next, body, settings, files } = item;
    const digest = digestOf({ format, key: components[component]?.key, unit, service, step, next, body, settings, files });
    return { ...item, tag: configuredTag(architecture.name, component, digest) };
  };
  const services = Object.entries(architecture.apps).flatMap(([app, { services: own, stages = [] }]) =>
    Object.entries(own).flatMap(([service, spec]) => {
      const unit = { kind: 'app' as const, name: app };
      const item = {
        component: `${app}/${service}`,
        unit,
        service,
        body: bodyOf(generations.apps, app),
        settings: spec.settings,
        files: spec.files,
      };
      const ofSteps = stepsOf(spec).map(({ name, command }) => configured({ ...item, step: { name, command } }));
      const index = stages.indexOf(service);
      const ofInstances =
        index < 0 ? [item] : colours.map((colour) => ({ ...item, next: { colour, url: wayBackUrl(wayBackPort(colour, index)) } }));
      return [...ofInstances.map(configured), ...ofSteps];
    }),
  );
  const servers = Object.entries(architecture.stores).map(([name, { settings, files }]) =>
    configured({
      component: name,
      unit: { kind: 'store', name },
      service: storeServer,
      body: bodyOf(generations.stores, name),
      settings,
      files,
    }),
  );
  return [...services, ...servers];
}

/**
 * The micro layer that configures a component. Nothing of a commit, a release or an environment is in it, so that equal
 * configurations are one image. `user` is the component's own.
 */
export function configuredRequest(
  item: Configured,
  base: { id: ImageId; user: string; component: Component; architecture: string },
): AssembleRequest {
  const tests = describeTests(base.component.inputs.tests);
  return {
    base: base.id,
    files: Object.entries(item.files).map(([path, contents]) => ({ path, contents })),
    change: {
      ...(isRoot(base.user) && { user: nobody }),
      ...(item.step && { entrypoint: item.step.command.slice(0, 1), command: item.step.command.slice(1) }),
      environment: { ...item.settings, ...ownNames(item) },
      labels: {
        [labels.architecture]: base.architecture,
        [item.unit.kind === 'app' ? labels.app : labels.store]: item.unit.name,
        [labels.role]: item.step ? 'step' : item.unit.kind === 'app' ? 'service' : 'server',
        [labels.key]: base.component.key,
        [labels.body]: item.body,
        ...(tests && { [labels.tests]: tests }),
      },
    },
    tag: item.tag,
  };
}

const ownNames = ({ unit, service, step, next }: Configured): Readonly<Record<string, string>> => ({
  CHANGELESS_APP: unit.name,
  CHANGELESS_SERVICE: service,
  ...(step && { CHANGELESS_STEP: step.name }),
  ...(next && { [wayBackVariable]: next.url }),
});

/** Docker takes a user by name or number, with or without a group. */
export const isRoot = (user: string): boolean => /^(|0+|root)(:.*)?$/.test(user);

function bodyOf(generations: Generations['apps'], name: string): BodyId {
  const found = generations[name];
  if (found === undefined) throw new Error(`no generation of ${name}`);
  return found.body;
}
