import { gatewayApp } from '../architecture/model.ts';
import type { Manifest } from './manifest.ts';

/** Whether a release has a gateway, whose inbox its controller takes. */
export const takesInbox = ({ inputs }: Manifest): boolean => inputs.architecture.apps[gatewayApp]?.gateway !== undefined;

/** Whether its gateway answers the API, whose commands its controller does. */
export const answersApi = ({ inputs }: Manifest): boolean => inputs.architecture.apps[gatewayApp]?.gateway?.api === true;
