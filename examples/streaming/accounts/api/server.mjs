// The accounts' API. It counts its visits in the store, so that data can be seen to outlive every container.
import { createRedis } from './redis.mjs';
import { identity, serve } from './serve.mjs';

const redis = createRedis(process.env.SESSIONS_URL);
// Ready once it has reached the store. Afterwards a store that is away for a moment is no reason to take every instance out.
let ready = false;
const server = serve({
  '/': async (request) => ({ status: 200, body: { ...identity(request), visits: await redis.command('INCR', 'visits') } }),
  '/healthz': async () => {
    ready ||= await redis.command('PING').then(
      () => true,
      () => false,
    );
    return { status: ready ? 200 : 503, body: { ready } };
  },
});

server.on('close', () => redis.close());
