import { runController } from '../../src/controller/run-controller.ts';
import type { RecordedEvent } from '../../src/events.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { Manifest } from '../../src/release/manifest.ts';
import { engineAsReached } from './engine-as-reached.ts';
import { never } from './never.ts';
import type { SimulatedWorld } from './simulated-world.ts';

type Birth = { name: string; container: string; manifest: Manifest; environment: string };

/**
 * One life of a controller's process. It can end at any boundary: before, in the middle of and after a call to the
 * engine, before and after one to the ledger. Then nothing of its code goes on, not even what would tidy up.
 */
export class ControllerProcess {
  readonly name: string;
  readonly container: string;
  readonly world: SimulatedWorld;
  alive = true;
  token: number | undefined;
  /** The number of the world's last change at its last look at the engine, and at the one before. */
  lastSeen = 0;
  lookedAt = 0;
  readonly #birth: Birth;
  readonly #abort = new AbortController();
  readonly #death = new AbortController();

  constructor(world: SimulatedWorld, birth: Birth) {
    this.world = world;
    this.name = birth.name;
    this.container = birth.container;
    this.#birth = birth;
  }

  get release(): string {
    return this.#birth.manifest.release;
  }

  /** Aborted when the process is dead. */
  get death(): AbortSignal {
    return this.#death.signal;
  }

  async run(): Promise<void> {
    if (!this.alive) return;
    const { world, container } = this;
    const { manifest, environment } = this.#birth;
    await runController({
      engine: engineAsReached(this),
      ledger: ledgerOf(this),
      manifest,
      environment,
      self: container,
      print: (event: RecordedEvent) => this.alive && world.noteEvent(this, event),
      signal: this.#abort.signal,
      openSecret: world.openSecret,
      paceMs: 2000,
      clock: world.time.clock,
      timers: {
        after: (ms, work) => world.time.after(ms, () => this.alive && work()),
      },
    });
    this.die();
  }

  /** Asked to end (SIGTERM): its code may tidy up. */
  stop(): void {
    this.#abort.abort();
  }

  /** Killed: nothing of it goes on. */
  die(): void {
    this.alive = false;
    this.#death.abort();
  }

  /** Whether it lives beyond this boundary. Each is counted, for a kill is ordered by the number of its boundary. */
  crosses(where: string): boolean {
    if (this.alive && this.world.isToDie(this, where)) this.world.kill(this, where);
    return this.alive;
  }
}

/** SQLite answers at once or not at all, so calls take no time; a process can die between any two. */
function ledgerOf(process: ControllerProcess): Ledger {
  const { ledger } = process.world;
  const reached = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    if (!process.crosses(`before ledger ${name}`)) return never();
    const answer = await work();
    return process.crosses(`after ledger ${name}`) ? answer : never();
  };
  return {
    claim: (request) =>
      reached('claim', async () => {
        const claim = await ledger.claim(request);
        if (claim.state === 'yours') process.token = claim.token;
        if (claim.state === 'yours' && !claim.resumed) process.world.noteLedger();
        return claim;
      }),
    end: (token, close) =>
      reached('end', async () => {
        const ended = await ledger.end(token, close);
        process.world.noteLedger();
        return ended;
      }),
    decide: (token, decision) => reached('decide', () => ledger.decide(token, decision)),
    goBack: (token, why) => reached('goBack', () => ledger.goBack(token, why)),
    wentBack: (token, outcome) =>
      reached('wentBack', async () => {
        const ended = await ledger.wentBack(token, outcome);
        process.world.noteLedger();
        return ended;
      }),
    holdBack: (token, held, why) => reached('holdBack', () => ledger.holdBack(token, held, why)),
    letGo: (token, containers) => {
      process.world.trace(`${process.name} lets go ${containers.map((each) => each.slice(-4)).join(' ')}`);
      return reached('letGo', () => ledger.letGo(token, containers));
    },
    leaving: () => (process.alive ? ledger.leaving() : never()),
    append: (events) => reached('append', () => ledger.append(events)),
    renew: (token) => (process.alive ? ledger.renew(token) : never()),
    mayAct: (token) => (process.alive ? process.world.mayAct(token) : never()),
    rollouts: (limit) => (process.alive ? ledger.rollouts(limit) : never()),
    events: (filter) => (process.alive ? ledger.events(filter) : never()),
    // Without a place for logs a controller runs no jobs; without channels and a forge it tells nobody.
    runs: ledger.runs,
    channels: ledger.channels,
    heads: ledger.heads,
    takeDeliveries: (token, batch, runsOf) => reached('takeDeliveries', () => ledger.takeDeliveries(token, batch, runsOf)),
    takeDue: (token, dueSince) => reached('takeDue', () => ledger.takeDue(token, dueSince)),
    inboxTaken: () => (process.alive ? ledger.inboxTaken() : never()),
    deliveries: (range) => (process.alive ? ledger.deliveries(range) : never()),
    deliveryBody: (number) => (process.alive ? ledger.deliveryBody(number) : never()),
    // Without a gateway nothing is asked of a controller but through the engine.
    addToken: (token) => ledger.addToken(token),
    revokeToken: (name) => ledger.revokeToken(name),
    tokens: () => ledger.tokens(),
    openCommands: (after) => ledger.openCommands(after),
    endCommand: (number, problem) => ledger.endCommand(number, problem),
    describe: (release, environment, facts) => ledger.describe(release, environment, facts),
    verifyChain: () => ledger.verifyChain(),
    close: () => Promise.resolve(),
  };
}
