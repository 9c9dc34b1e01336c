// The providers' feeds, for the catalog alone: this service is no entry of its app.
import { feeds } from './feeds.mjs';
import { identity, serve } from './serve.mjs';

const feedRoutes = Object.entries(feeds).map(([name, items]) => [
  `/feeds/${name}`,
  (request) => ({ status: 200, body: { ...identity(request), items: items() } }),
]);

serve({
  ...Object.fromEntries(feedRoutes),
  '/': (request) => ({ status: 200, body: { ...identity(request), feeds: Object.keys(feeds) } }),
  '/healthz': () => ({ status: 200, body: { ready: true } }),
});
