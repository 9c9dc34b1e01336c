import type { Architecture } from '../architecture/model.ts';
import type { Problem, ProblemCode } from '../problem.ts';
import { appOfComponent } from './component-names.ts';

/** Apps that could not be built, and why. */
export type Unbuilt = Readonly<Record<string, Problem>>;

/** Whether a release is worth having without these apps, which stay as they are then. Asked as each of them fails. */
export type GoesOn = (unbuilt: Unbuilt) => boolean;

/** What is the fault of who wrote the app. A full disk is everyone's, and so is a base that cannot be had. */
const own: ReadonlySet<ProblemCode> = new Set(['BUILD_FAILED', 'TESTS_FAILED', 'PATH_INVALID']);

/** Apps that a release does without. Where none may be set aside, whatever fails ends the build. */
export class SetAside {
  readonly #apps = new Map<string, Problem>();
  readonly #architecture: Architecture;
  readonly #goesOn: GoesOn;

  constructor(architecture: Architecture, goesOn: GoesOn = () => false) {
    this.#architecture = architecture;
    this.#goesOn = architecture.rollout === undefined ? () => false : goesOn;
  }

  /** So far. */
  get apps(): Unbuilt {
    return Object.fromEntries(this.#apps);
  }

  /** Takes the failure as these apps' alone; false where it is not, or too little is left without them. */
  takes(problem: Problem, apps: readonly string[]): boolean {
    if (apps.length === 0 || !own.has(problem.code)) return false;
    const more = Object.fromEntries(apps.map((app) => [app, this.#apps.get(app) ?? problem]));
    if (!this.#goesOn({ ...this.apps, ...more })) return false;
    for (const [app, why] of Object.entries(more)) this.#apps.set(app, why);
    return true;
  }

  /** The same for components: nobody's but apps' must be among them. */
  takesComponents(problem: Problem, names: readonly string[]): boolean {
    const apps = names.map((name) => appOfComponent(this.#architecture, name));
    return this.takes(problem, apps.every((app) => app !== undefined) ? [...new Set(apps)] : []);
  }
}
