import type { Delivery } from '../ledger/delivery.ts';

/** A request to a webhook, its body whole. Names of headers are in lower case. */
export type WebhookRequest = { headers: Readonly<Record<string, string | string[] | undefined>>; body: Buffer; receivedAt: Date };

/**
 * What becomes of a request. `ignore`: it is right, and nothing we work on; its sender is told 2xx. `refuse`: nothing of it is kept.
 */
export type Judgement =
  | { kind: 'take'; delivery: Delivery }
  | { kind: 'ignore'; why: string }
  | { kind: 'refuse'; status: 400 | 401 | 415; why: string };

export const refuse = (why: string, status: 400 | 401 | 415 = 400): Judgement => ({ kind: 'refuse', status, why });

/** A header's one value; undefined when it is not there, or there more than once. */
export function headerOf({ headers }: WebhookRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

const idPattern = /^[\w.:-]{1,128}$/;

/** An id is written into files, logs and answers. */
export const isDeliveryId = (id: string | undefined): id is string => id !== undefined && idPattern.test(id);
