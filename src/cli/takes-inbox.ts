import { gatewayApp } from '../architecture/model.ts';
import type { Manifest } from '../release/manifest.ts';

/** Whether a release has a gateway, whose inbox its controller takes. */
export const takesInbox = ({ inputs }: Manifest): boolean => inputs.architecture.apps[gatewayApp]?.gateway !== undefined;
