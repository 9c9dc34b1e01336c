/** So many within any span of so long, on the average; all of them may come at once. */
export type Rate = { name: string; count: number; perMs: number };

/** What is left of a rate, and in how many seconds all of it is there again. `waitSeconds`: until one more is let on. */
export type Taken = { isLetOn: boolean; rate: Rate; left: number; resetSeconds: number; waitSeconds: number };

type Bucket = { level: number; atMs: number };

/** Each of many has a bucket of its own, which fills again as time passes. Those that are full are forgotten first. */
export class RateLimit {
  readonly #rate: Rate;
  readonly #mostBuckets: number;
  /** The one that was asked longest ago first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, mostBuckets = 10_000) {
    this.#rate = rate;
    this.#mostBuckets = mostBuckets;
  }

  take(who: string, nowMs: number): Taken {
    const { count, perMs } = this.#rate;
    const before = this.#buckets.get(who) ?? { level: count, atMs: nowMs };
    const filled = Math.min(count, before.level + (Math.max(0, nowMs - before.atMs) / perMs) * count);
    const isLetOn = filled >= 1;
    const level = isLetOn ? filled - 1 : filled;
    this.#buckets.delete(who);
    this.#buckets.set(who, { level, atMs: nowMs });
    if (this.#buckets.size > this.#mostBuckets) this.#forgetOldest();
    const seconds = (missing: number): number => Math.ceil((Math.max(0, missing) / count) * (perMs / 1000));
    return { isLetOn, rate: this.#rate, left: Math.floor(level), resetSeconds: seconds(count - level), waitSeconds: seconds(1 - level) };
  }

  #forgetOldest(): void {
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}

/** As draft-ietf-httpapi-ratelimit-headers has it, with Retry-After where nothing more is let on. */
export const rateHeaders = ({ isLetOn, rate: { name, count, perMs }, left, resetSeconds, waitSeconds }: Taken): Record<string, string> => ({
  'ratelimit-policy': `"${name}";q=${count};w=${perMs / 1000}`,
  ratelimit: `"${name}";r=${left};t=${resetSeconds}`,
  ...(!isLetOn && { 'retry-after': String(Math.max(1, waitSeconds)) }),
});

/** Whom a bucket is for that nobody has a token for: an address, of IPv6 the network it is in. */
export function sourceOf(forwarded: string | undefined, remote: string | undefined): string {
  const address = (forwarded ?? remote ?? '').slice(0, 64).toLowerCase();
  return address.includes(':') && !address.includes('.') ? address.split(':').slice(0, 4).join(':') : address;
}
