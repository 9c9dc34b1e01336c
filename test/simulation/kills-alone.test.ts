import { killEverywhere } from './kill-everywhere.ts';

killEverywhere({ name: 'alone', downMs: 200 });
