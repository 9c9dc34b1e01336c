// The catalog's API: what a mobile app shows first, in one answer.
import { createContent } from './content.mjs';
import { identity, serve } from './serve.mjs';

const http = process.getBuiltinModule('node:http');

const content = createContent({ feeds: ['films', 'series', 'live'], fetchFeed });

serve({
  '/': async (request) => {
    const shown = await content.read();
    if (!shown) return { status: 503, body: { ...identity(request), error: 'no provider has answered yet' } };
    return { status: 200, body: { ...identity(request), ...shown } };
  },
  '/healthz': async () => {
    const ready = (await content.read()) !== undefined;
    return { status: ready ? 200 : 503, body: { ready } };
  },
});

async function fetchFeed(feed) {
  const response = await get(`${process.env.PROVIDERS_URL}/feeds/${feed}`);
  if (response.statusCode !== 200) throw new Error(`${feed} answered ${response.statusCode}`);
  const text = await response.setEncoding('utf8').reduce((all, chunk) => all + chunk, '');
  return JSON.parse(text).items;
}

// A connection of its own each time: the provider may have been replaced since the last one.
function get(url) {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent: false, signal: AbortSignal.timeout(1_000) }, resolve);
    request.on('error', reject);
  });
}
