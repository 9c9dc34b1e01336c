import { canonicalJson } from '../canonical-json.ts';
import { gatewayApp, type Gateway } from '../architecture/model.ts';
import { digestOf, type BodyId, type ComponentKey, type ImageId } from '../digest.ts';
import type { AssembleRequest } from '../engine/image.ts';
import { labels } from '../engine/labels.ts';
import { gitFolder, inboxFolder } from '../kept-volumes.ts';
import { gatewayBase, gatewaySettings, type GatewaySettings } from '../release/gateway-service.ts';
import type { ReleaseInputs } from '../release/manifest.ts';
import type { ResolvedArchitecture } from '../release/resolve-environment.ts';
import { wayOut } from '../release/way-out.ts';
import { nobody } from './configured-images.ts';
import { configuredTag } from './image-names.ts';
import { nobody as gatewayOwner } from './image-user.ts';
import type { PathImage } from './path-images.ts';
import { packageFolder, programFolder } from './system-images.ts';

/** An instance's image that is made of what Changeless brings along: the proxy, or its own programs. The same in both colours. */
export type OwnImage = {
  app: string;
  service: string;
  body: BodyId;
  of: { image: 'controller' | 'proxy' | 'builder'; key: ComponentKey };
  request: Pick<AssembleRequest, 'files'> & { change: Pick<AssembleRequest['change'], 'entrypoint' | 'user'> };
  tag: string;
};

/** Where a way out finds its configuration. */
const configPath = '/etc/changeless/way-out.cfg';

export type OwnRequest = { architecture: ResolvedArchitecture; paths: readonly PathImage[]; changeless: ReleaseInputs['changeless'] };

/** Ways out, which the data paths need, and the gateway. */
export function ownImages({ architecture, paths, changeless }: OwnRequest): OwnImage[] {
  const images = paths.flatMap(({ unit: { kind, name: app }, generation: { body }, config: { wayOut: config } }): OwnImage[] => {
    const gateway = kind === 'app' ? architecture.apps[app]?.gateway : undefined;
    if (gateway) return [gatewayImage({ gateway, architecture: architecture.name, body, changeless })];
    if (config === undefined) return [];
    const tag = configuredTag(architecture.name, `${app}/${wayOut}`, digestOf({ proxy: changeless.proxy, body, config }));
    const request = { files: [{ path: configPath, contents: config }], change: { entrypoint: ['haproxy', '-db', '-f', configPath] } };
    return [{ app, service: wayOut, body, of: { image: 'proxy', key: changeless.proxy }, request, tag }];
  });
  return [...new Map(images.map((image) => [image.tag, image])).values()];
}

type GatewayParts = { gateway: Gateway; architecture: string; body: BodyId; changeless: ReleaseInputs['changeless'] };

function gatewayImage({ gateway, architecture, body, changeless }: GatewayParts): OwnImage {
  const { webhooks, api, git } = gateway;
  const contents = canonicalJson({
    webhooks,
    ...(api && { api }),
    ...(git && { git: { ...git, name: architecture } }),
  } satisfies GatewaySettings);
  const of = gatewayBase(gateway, changeless);
  return {
    app: gatewayApp,
    service: gatewayApp,
    body,
    of,
    request: {
      // A volume that is mounted on a folder first becomes its owner's.
      files: [
        { path: gatewaySettings, contents },
        { path: inboxFolder, folder: true, owner: gatewayOwner },
        ...(git ? [{ path: gitFolder, folder: true as const, owner: gatewayOwner }] : []),
      ],
      change: { entrypoint: ['node', `${of.image === 'builder' ? builtPrograms : programFolder}/gateway.js`], user: nobody },
    },
    tag: configuredTag(architecture, `${gatewayApp}/${gatewayApp}`, digestOf({ key: of.key, body, contents })),
  };
}

/** Where the builder has what the controller's image has in a folder of its own. */
const builtPrograms = `${packageFolder}/dist/controller`;

type OwnBases = Readonly<Record<'controller' | 'proxy', ImageId>> & { builder?: ImageId };

function baseOf(ids: OwnBases, image: OwnImage['of']['image']): ImageId {
  const id = ids[image];
  if (id === undefined) throw new Error(`an image made of the ${image}, which was not made`);
  return id;
}

/** The micro layer on what it is made of. */
export const ownRequest = (
  { app, body, of, request, tag }: OwnImage,
  { architecture, ids }: { architecture: string; ids: OwnBases },
): AssembleRequest => ({
  base: baseOf(ids, of.image),
  ...request,
  change: {
    ...request.change,
    command: [],
    labels: {
      [labels.architecture]: architecture,
      [labels.app]: app,
      [labels.role]: 'service',
      [labels.key]: of.key,
      [labels.body]: body,
    },
  },
  tag,
});
