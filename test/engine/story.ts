import { test, type TestContext } from 'node:test';

type Body = () => void | Promise<void>;
type Step = { name: string; body: Body };
type Group = { name: string; before: Body[]; after: Body[]; parts: (Step | Group)[] };

const open: Group[] = [];

function collect(name: string, define: () => void): Group {
  const group: Group = { name, before: [], after: [], parts: [] };
  open.push(group);
  define();
  open.pop();
  return group;
}

function innermost(): Group {
  const group = open.at(-1);
  if (!group) throw new Error('steps belong inside a story');
  return group;
}

/**
 * Steps that build on one another, as one test: they run as they are written, in whatever order the runner shuffles tests.
 * `describe`, `it`, `before` and `after` are those of the runner, inside a story.
 */
export function story(name: string, define: () => void): void {
  const group = collect(name, define);
  void test(name, (context) => tell(group, context));
}

export const describe = (name: string, define: () => void): void => void innermost().parts.push(collect(name, define));
export const it = (name: string, body: Body): void => void innermost().parts.push({ name, body });
export const before = (body: Body): void => void innermost().before.push(body);
export const after = (body: Body): void => void innermost().after.push(body);

async function tell(group: Group, context: TestContext): Promise<void> {
  try {
    for (const body of group.before) await body();
    for (const part of group.parts) await context.test(part.name, (inner) => ('body' in part ? part.body() : tell(part, inner)));
  } finally {
    for (const body of group.after) await body();
  }
}
