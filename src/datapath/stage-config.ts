import { idempotentMethods, type Policy } from '../policy.ts';
import { assertDnsLabel, assertPort, retryOnly, type Section } from './path-config.ts';
import { renderRouting } from './policy-config.ts';
import { mark } from './policy-rule.ts';

/** A stage, as its data path sees it: a service, and the port at which it sends on what it lets pass. */
export interface Stage {
  readonly service: string;
  readonly port: number;
}

/** What closes the front while what is under way still comes back, and knows from where. */
export const WAY_BACK_LIBRARY = 'way-back.lua';

/** What the service behind stages is to know as the data path does, and the header that carries it past them. */
const CARRIED: readonly (readonly [header: string, carrier: string])[] = [
  ['host', 'x-changeless-host'],
  ['x-forwarded-for', 'x-changeless-client'],
  ['x-forwarded-proto', 'x-changeless-protocol'],
  ['x-request-id', 'x-changeless-request'],
];

/** In place of whatever the header said. */
const copy = (from: string, to: string): string => `http-request set-header ${to} %[req.hdr(${from})] if { req.hdr(${from}) -m found }`;

/**
 * The last lines of a frontend in front of stages. What the service behind them is to know goes with the request; no client can say
 * it, nor have a stage leave it out: a proxy takes away what `Connection` names.
 */
export const ENTER_STAGES: readonly string[] = [
  'http-request del-header connection',
  'http-request set-header connection upgrade if { req.hdr(upgrade) -m found }',
  ...CARRIED.flatMap(([header, carrier]) => [`http-request del-header ${carrier}`, copy(header, carrier)]),
];

/** Of a stage that lets no unknown headers pass, what it says itself is taken. */
const LEAVE_STAGE: readonly string[] = CARRIED.map(([header, carrier]) => copy(carrier, header));

const FORGET_CARRIERS: readonly string[] = CARRIED.map(([, carrier]) => `http-request del-header ${carrier}`);

/** What stages are followed by: who an app's services are to the proxy, and what is done with requests. */
export interface BehindStages {
  readonly generation: string;
  readonly policy: Policy;
  readonly backendOf: (service: string) => string;
}

/** A frontend for what each stage lets pass: it leads to the next one, and from the last to the services. */
export const waysBack = (stages: readonly Stage[], behind: BehindStages): Section[] =>
  stages.map((stage, index) => wayBack(stage, stages[index + 1], behind));

function wayBack({ service, port }: Stage, next: Stage | undefined, { generation, policy, backendOf }: BehindStages): Section {
  return {
    header: `frontend after-${assertDnsLabel(service)}`,
    lines: [
      `bind :${assertPort(port)}`,
      // A connection that a stage kept would go on reaching this proxy when another one serves.
      'option httpclose',
      `http-request reject unless { lua.from_network_of(${backendOf(service)}) -m bool }`,
      ...LEAVE_STAGE,
      `http-request set-header x-changeless-generation ${generation}`,
      retryOnly(policy.retries?.methods ?? idempotentMethods),
      ...(next
        ? [`default_backend ${backendOf(next.service)}`]
        : [...FORGET_CARRIERS, ...renderRouting(policy, backendOf), 'default_backend entry']),
    ],
  };
}

/**
 * Lines of a stage's backend. What a policy says of further tries is done where the services are, and a stage has time for all of
 * them: otherwise each stage would multiply them.
 */
export function stagePatience({ retries, timeouts }: Policy): string[] {
  if (retries === undefined) return [];
  const tryMs = timeouts?.responseMs ?? SERVER_LIMIT_MS;
  const waits = retries.on.includes('response-timeout') ? [`timeout server ${tryMs * (retries.attempts + 1)}ms`] : [];
  return [mark('policy retries'), 'retry-on conn-failure empty-response', ...waits];
}

/** How long an answer may take where the policy does not say. */
const SERVER_LIMIT_MS = 60_000;
