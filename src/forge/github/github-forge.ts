import type { CommitStatus } from '../commit-status.ts';
import type { Answered, FailedPush, Forge } from '../forge.ts';
import { GithubClient, type GithubClientOptions } from './github-client.ts';
import { attemptsIn, failedAttempts, headsIn, hooksIn, pushIn, type Attempt } from './github-answers.ts';

/** `webhook`: where webhooks lead that are this architecture's; there are none when it is left out. */
export type GithubForgeOptions = GithubClientOptions & { repository: string; webhook?: { host: string; path: string } };

/** 100 of each. A repository with more branches than that is known in part. */
const branchPages = 50;

/** Of the last deliveries; older ones are over when they are looked at as often as that. */
const deliveryPages = 3;

/** https://docs.github.com/en/rest, of version 2022-11-28; a GitHub Enterprise Server has the same below `/api/v3`. */
export class GithubForge implements Forge {
  readonly name: string;
  readonly repository: string;
  readonly #client: GithubClient;
  readonly #webhook: GithubForgeOptions['webhook'];
  /** What a delivery held does not change. */
  #pushes = new Map<string, FailedPush | undefined>();

  constructor({ repository, webhook, ...options }: GithubForgeOptions) {
    this.repository = repository;
    this.name = `${repository} at ${options.api}`;
    this.#client = new GithubClient(options);
    this.#webhook = webhook;
  }

  async setStatus({ commit, context, state, description, link }: CommitStatus, signal: AbortSignal): Promise<Answered<void>> {
    const body = { state, context, description, ...(link !== undefined && { target_url: link }) };
    const answer = await this.#client.post(`/repos/${this.repository}/statuses/${commit}`, body, signal);
    // What a token may is changed by people; 422 is the commit's own.
    return answer.state === 'refused' && answer.status !== 422 ? { state: 'later', why: answer.why } : answer;
  }

  async heads(signal: AbortSignal): Promise<Answered<ReadonlyMap<string, string>>> {
    const list = await this.#client.list(`/repos/${this.repository}/branches?per_page=100`, { mostPages: branchPages, signal });
    return list.state === 'done' ? { state: 'done', value: headsIn(list.value) } : list;
  }

  async failedPushes(signal: AbortSignal): Promise<Answered<readonly FailedPush[]>> {
    if (this.#webhook === undefined) return { state: 'done', value: [] };
    const hooks = await this.#client.list(`/repos/${this.repository}/hooks?per_page=100`, { mostPages: 1, signal });
    // To look at webhooks is a permission of its own.
    if (hooks.state === 'refused') return { state: 'done', value: [] };
    if (hooks.state === 'later') return hooks;
    const [hook] = hooksIn(hooks.value, this.#webhook);
    if (hook === undefined) return { state: 'done', value: [] };
    const path = `/repos/${this.repository}/hooks/${hook}/deliveries`;
    const list = await this.#client.list(`${path}?per_page=100`, { mostPages: deliveryPages, signal });
    if (list.state !== 'done') return list;
    const failed = failedAttempts(attemptsIn(list.value));
    this.#pushes = new Map([...this.#pushes].filter(([guid]) => failed.some((attempt) => attempt.guid === guid)));
    for (const attempt of failed) if (!(await this.#read(path, attempt, signal))) break;
    return { state: 'done', value: failed.flatMap(({ guid }) => this.#pushes.get(guid) ?? []) };
  }

  /** What one that failed held; it is asked for once. False when that cannot be had just now. */
  async #read(path: string, { id, guid, at }: Attempt, signal: AbortSignal): Promise<boolean> {
    if (this.#pushes.has(guid)) return true;
    const read = await this.#client.read(`${path}/${id}`, signal);
    if (read.state === 'later') return false;
    this.#pushes.set(guid, read.state === 'done' ? pushIn(read.value, { repository: this.repository, at }) : undefined);
    return true;
  }
}
