import type { Secret } from '../../secret.ts';
import type { Timers } from '../../timers.ts';
import type { GatewayEvent } from '../webhook-server.ts';
import type { Accepting } from './accept-push.ts';
import type { FollowDelivery } from './follow-delivery.ts';

export type GitServing = Accepting & {
  /** Its address is `/git/<name>.git`. */
  name: string;
  secret: Secret;
  /** What becomes of a delivery, line by line. Nothing more is said of one where it is left out. */
  follow?: FollowDelivery;
  report: (event: GatewayEvent) => void;
  random: (characters: number) => string;
  timers: Timers;
};
