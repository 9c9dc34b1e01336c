import { identity, serve } from './serve.mjs';

serve({
  '/': (request) => ({ status: 200, body: { greeting: 'Hello, world', ...identity(request) } }),
  '/healthz': () => ({ status: 200, body: { ready: true } }),
});
