// What a person sees of the page that an earlier step rendered.
import assert from 'node:assert/strict';
import { withBrowser } from '/usr/local/lib/session.mjs';

await withBrowser(async (browser) => {
  await browser.open(new URL('../page.html', import.meta.url).href);
  assert.equal(await browser.title(), 'Greeter');
  assert.equal(await browser.text('h1'), 'Hello, world');
});
console.log('the page greets the world');
