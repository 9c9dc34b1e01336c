import { identity, serve } from './serve.mjs';

serve({
  '/': (request) => ({ status: 200, body: { greeting: `${process.env.GREETING}, world`, ...identity(request) } }),
  '/healthz': () => ({ status: 200, body: { ready: true } }),
});
