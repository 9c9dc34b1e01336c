import type { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import type { Manifest } from '../../src/release/manifest.ts';
import { firstSketch as full, sealSketch, type Sketch } from './sketch.ts';

/** `gap`: whose requests are not answered for a while even undisturbed. A change during which the controller is killed at every boundary. */
export type Scenario = { name: string; before: readonly Sketch[]; after: Sketch; gap?: 'core' };

const firstSketch: Sketch = { ...full, replicas: 1, steps: false };

const second: Sketch = { ...firstSketch, commit: 2, keys: { 'catalog/api': '2', 'accounts/api': '2' } };

export const scenarios: readonly Scenario[] = [
  { name: 'a first release', before: [], after: firstSketch },
  { name: 'two apps replaced', before: [firstSketch], after: second },
  { name: 'an app with steps comes', before: [firstSketch], after: { ...firstSketch, commit: 2, steps: true } },
  { name: 'a policy replaced', before: [firstSketch], after: { ...firstSketch, commit: 2, drainMs: 5000 } },
  { name: 'a store replaced', before: [firstSketch], after: { ...firstSketch, commit: 2, keys: { sessions: '2' } } },
  { name: 'the core replaced, for an app has come', before: [firstSketch], after: { ...firstSketch, commit: 2, third: true } },
  { name: 'the core moved to another port', before: [firstSketch], after: { ...firstSketch, commit: 2, port: 9090 }, gap: 'core' },
  { name: 'another version of a secret', before: [{ ...firstSketch, secret: 1 }], after: { ...firstSketch, commit: 2, secret: 2 } },
  { name: 'a rollback', before: [firstSketch, second], after: firstSketch },
];

/** The release another `up` brings while the first one's is under way. */
export const newcomer = (engine: MemoryEngine): Manifest =>
  sealSketch(engine, { ...firstSketch, commit: 9, keys: { 'catalog/providers': '9', 'accounts/api': '9' } });
