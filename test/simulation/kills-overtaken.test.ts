import { killEverywhere } from './kill-everywhere.ts';

const leaseMs = 10_000;
const second = { afterMs: leaseMs + 500 };

killEverywhere({ name: 'a second one overtakes it, and it comes back', downMs: leaseMs + 1500, second });
killEverywhere({ name: 'a second one overtakes it, and it never comes back', downMs: 3_600_000, second });
