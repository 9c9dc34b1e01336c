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

const CLIENT = 'x-changeless-client';
const PROTOCOL = 'x-changeless-protocol';

/**
 * The last lines of a frontend in front of stages. What the service behind them is to know of the client goes with the request; no
 * client can say it, nor have a stage leave it out: a proxy takes away what `Connection` names.
 */
export const ENTER_STAGES: readonly string[] = [
  'http-request del-header connection',
  'http-request set-header connection upgrade if { req.hdr(upgrade) -m found }',
  `http-request set-header ${CLIENT} %[req.hdr(x-forwarded-for)]`,
  `http-request set-header ${PROTOCOL} %[req.hdr(x-forwarded-proto)]`,
];

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
      restore('x-forwarded-for', CLIENT),
      restore('x-forwarded-proto', PROTOCOL),
      `http-request set-header x-changeless-generation ${generation}`,
      retryOnly(policy.retries?.methods ?? idempotentMethods),
      ...(next
        ? [`default_backend ${backendOf(next.service)}`]
        : [
            ...[CLIENT, PROTOCOL].map((header) => `http-request del-header ${header}`),
            ...renderRouting(policy, backendOf),
            'default_backend entry',
          ]),
    ],
  };
}

/** A stage that lets no unknown headers pass is taken at its own word. */
const restore = (header: string, from: string): string =>
  `http-request set-header ${header} %[req.hdr(${from})] if { req.hdr(${from}) -m found }`;

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
