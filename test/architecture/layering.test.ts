import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { readImportGraph } from './import-graph.ts';
import { layeringProblems } from './layering.ts';

const source = path.resolve(import.meta.dirname, '../../src');

describe('the layering of src/', () => {
  it('has no import upward, no cycle and no barrel', () => {
    assert.deepEqual(layeringProblems(readImportGraph(source)), []);
  });
});

describe('the layering test', () => {
  it('names an import upward and how the command line reaches it', () => {
    const problems = problemsOf({
      'cli/main.ts': "import { release } from '../release/key.ts';",
      'release/key.ts': "import {\n  build,\n} from '../build/build.ts';\nexport const release = build;",
      'build/build.ts': 'export const build = 1;',
    });
    assert.deepEqual(problems, [
      'release/key.ts -> build/build.ts: release/ may import architecture\n    reached by cli/main.ts -> release/key.ts',
    ]);
  });

  it('prints an import cycle as a chain, also one of types alone', () => {
    const problems = problemsOf({
      'ledger/a.ts': "import type { B } from './b.ts';",
      'ledger/b.ts': "export type { C } from './c.ts';",
      'ledger/c.ts': "const a = await import('./a.ts');",
    });
    assert.deepEqual(problems, ['import cycle: ledger/a.ts -> ledger/b.ts -> ledger/c.ts -> ledger/a.ts']);
  });

  it('keeps the Docker adapter to those who wire it', () => {
    const problems = problemsOf({
      'engine/docker/client.ts': '',
      'cli/engine.ts': "import '../engine/docker/client.ts';",
      'engine/engine.ts': "import './docker/client.ts';",
      'engine/contract.test.ts': "import './docker/client.ts';",
    });
    assert.deepEqual(problems, [
      'engine/engine.ts -> engine/docker/client.ts: only cli and controller may reach into engine/docker/\n    not reached from cli/main.ts',
    ]);
  });

  it('refuses barrels, folders it does not know, a foundation that looks up, and imports of tests', () => {
    const problems = problemsOf({
      'architecture/index.ts': '',
      'digest.ts': "import './architecture/model.ts';",
      'architecture/model.ts': '',
      'architecture/model.test.ts': '',
      'helpers/a.ts': "import '../architecture/model.ts';",
      'release/key.ts': "import '../architecture/model.test.ts';",
    });
    assert.deepEqual(
      problems.map((problem) => problem.split('\n')[0]),
      [
        'architecture/index.ts is a barrel; import from the file itself',
        'digest.ts -> architecture/model.ts: the foundation imports no folder',
        'helpers/a.ts -> architecture/model.ts: helpers/ is missing in test/architecture/layers.ts',
        'release/key.ts -> architecture/model.test.ts: a test is imported',
      ],
    );
  });
});

function problemsOf(files: Readonly<Record<string, string>>): readonly string[] {
  const root = mkdtempSync(path.join(tmpdir(), 'changeless-layering-'));
  try {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
      writeFileSync(path.join(root, file), text);
    }
    return layeringProblems(readImportGraph(root));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
