import { access, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { World } from './world.ts';

/** The examples that come with the package. */
export async function templateNames({ packageFolder }: World): Promise<string[]> {
  const entries = await readdir(path.join(packageFolder, 'examples'), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
}

const generated = new Set(['node_modules', '.git']);

/** Copies an example, and adds what a repository of its own and an editor need, where the example has none. */
export async function copyTemplate({ world, template, folder }: { world: World; template: string; folder: string }): Promise<void> {
  await mkdir(folder, { recursive: true });
  await cp(path.join(world.packageFolder, 'examples', template), folder, {
    recursive: true,
    filter: (source) => !generated.has(path.basename(source)),
  });
  const name = path.basename(folder);
  for (const [file, contents] of Object.entries(await companions(world, name, template))) {
    const target = path.join(folder, file);
    const exists = await access(target).then(
      () => true,
      () => false,
    );
    if (!exists) await writeFile(target, contents);
  }
}

async function companions({ packageFolder }: World, name: string, template: string): Promise<Record<string, string>> {
  const described = JSON.parse(await readFile(path.join(packageFolder, 'package.json'), 'utf8')) as { version: string };
  return {
    // npm leaves a .gitignore out of what it packs, so examples cannot bring their own.
    '.gitignore': 'node_modules/\n',
    'package.json': `${JSON.stringify({ name: packageName(name), private: true, type: 'module', devDependencies: { changeless: `^${described.version}` } }, null, 2)}\n`,
    'tsconfig.json': `${JSON.stringify({ compilerOptions: { target: 'es2024', module: 'nodenext', strict: true, noEmit: true, erasableSyntaxOnly: true, types: [] }, include: ['architecture.ts'] }, null, 2)}\n`,
    'README.md': readme(name, template),
  };
}

const packageName = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '') || 'architecture';

const readme = (name: string, template: string): string => `# ${name}

An architecture delivered by Changeless, made from the example \`${template}\`. \`architecture.ts\` describes all of it.

    npx changeless up         makes the commit live
    npx changeless status     what is live, and where
    npx changeless rollback   back to what was live before

To change anything, commit the change and run \`npx changeless up\` again. For completion and checks in an editor: \`npm install\`.
`;
