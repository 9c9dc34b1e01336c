// A WebDriver session (https://www.w3.org/TR/webdriver2/) of a headless Chromium, in the words of a test.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const element = 'element-6066-11e4-a52e-4f735466cecf';

// Without capabilities it cannot make a sandbox of its own; the step's container is one.
const options = { args: ['--headless=new', '--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--user-data-dir=/tmp/chromium'] };

// Where there is no IPv6, the driver says that it could not bind (which does no harm), and not which port it chose when it may choose.
// A step has its network for itself, so this one is free.
const port = 9515;

/** Starts a browser for as long as the body takes. */
export async function withBrowser(body) {
  const driver = spawn('chromedriver', [`--port=${port}`], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, HOME: '/tmp' } });
  try {
    await started(driver);
    const address = `http://127.0.0.1:${port}/session`;
    const { sessionId } = await ask(address, 'POST', { capabilities: { alwaysMatch: { 'goog:chromeOptions': options } } });
    const session = `${address}/${sessionId}`;
    await body(browserOf(session));
    await ask(session, 'DELETE');
  } finally {
    driver.kill();
    if (driver.exitCode === null && driver.signalCode === null) await once(driver, 'exit');
  }
}

const browserOf = (session) => ({
  open: (url) => ask(`${session}/url`, 'POST', { url }),
  title: () => ask(`${session}/title`, 'GET'),
  text: async (selector) => {
    const found = await ask(`${session}/element`, 'POST', { using: 'css selector', value: selector });
    return ask(`${session}/element/${found[element]}/text`, 'GET');
  },
});

async function started(driver) {
  for await (const line of createInterface({ input: driver.stdout })) if (line.includes('started successfully')) return;
  throw new Error('chromedriver ended before it listened');
}

async function ask(address, method, body) {
  const response = await fetch(address, { method, ...(body && { body: JSON.stringify(body) }) });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${method} ${address}: ${value.error}: ${value.message}`);
  return value;
}

// Run by itself, as the agent's test, it says whether a browser starts.
if (import.meta.url === pathToFileURL(process.argv[1]).href)
  await withBrowser(async (browser) => {
    await browser.open('data:text/html,<title>works</title>');
    console.log(await browser.title());
  });
