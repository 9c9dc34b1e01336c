import type { Problem } from '../../problem.ts';
import { done, failed, type Result } from '../../result.ts';

type FailureOptions = { status?: number; code?: string; cause?: unknown };

/**
 * A call that Docker did not carry out. `status` is its HTTP status, `code` the system's error code when it did not
 * answer at all. Inside engine/docker it is thrown; `attempt` makes it a problem at the edge.
 */
export class EngineFailure extends Error {
  readonly status: number | undefined;
  readonly code: string | undefined;

  constructor(message: string, { status, code, cause }: FailureOptions = {}) {
    super(message, { cause });
    this.name = 'EngineFailure';
    this.status = status;
    this.code = code;
  }

  /** For callers of the verbs that have no place for a problem in their answer (`Images`). */
  get problem(): Problem {
    return problemOf(this, 'the container engine failed');
  }
}

/** Runs `work`; an engine's failure becomes a problem whose first sentence is `what`. Anything else thrown is a bug and stays thrown. */
export async function attempt<T>(what: string, work: () => Promise<T>): Promise<Result<T>> {
  try {
    return done(await work());
  } catch (error) {
    if (error instanceof EngineFailure) return failed(problemOf(error, what));
    if (error instanceof Refusal) return failed(error.problem);
    throw error;
  }
}

/** Our own refusal, already said as a problem. */
export class Refusal extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.what);
    this.name = 'Refusal';
    this.problem = problem;
  }
}

export function problemOf(failure: EngineFailure, what: string): Problem {
  if (failure.status === undefined) return unreachable(failure);
  const meaning = meaningOfText(failure.message);
  if (meaning === 'no-space') {
    return { code: 'NO_SPACE', what: 'the engine has no space left', why: failure.message, next: 'docker system df' };
  }
  if (meaning === 'port-taken') {
    return { code: 'PORT_TAKEN', what: 'a port to be published is in use on the host', why: failure.message };
  }
  return { code: 'ENGINE_REFUSED', what, why: `the engine answered ${failure.status}: ${failure.message}` };
}

function unreachable(failure: EngineFailure): Problem {
  if (failure.code === 'EACCES' || failure.code === 'EPERM') {
    return {
      code: 'ENGINE_FORBIDDEN',
      what: 'this user may not talk to the container engine',
      why: failure.message,
      next: 'sudo usermod -aG docker "$USER"     and log in again; or set DOCKER_HOST',
    };
  }
  return {
    code: 'ENGINE_ABSENT',
    what: 'no container engine answers',
    why: failure.message,
    next: 'start Docker Engine, or set DOCKER_HOST to where one listens',
  };
}

/**
 * The one place where Docker's words decide: it answers 500 to a full disk and to a taken port alike.
 * (moby: libnetwork/portallocator, userland proxy; both spellings since 1.6.)
 */
export function meaningOfText(message: string): 'no-space' | 'port-taken' | undefined {
  if (/no space left on device/i.test(message)) return 'no-space';
  if (/port is already allocated|address already in use/i.test(message)) return 'port-taken';
  return undefined;
}

export const hasStatus = (error: unknown, ...statuses: number[]): boolean =>
  error instanceof EngineFailure && error.status !== undefined && statuses.includes(error.status);
