import { killEverywhere } from './kill-everywhere.ts';

killEverywhere({ name: 'a second one is held', downMs: 3000, second: { afterMs: 500 } });
