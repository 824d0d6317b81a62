// Real pages in a real browser: `useChat` of two majors, and the demo page the binary carries.

import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { launch, serveUseChatPage } from './support/browser.mjs';
import { question, until } from './support/clients.mjs';
import { bothKinds, configOf } from './support/config.mjs';
import { root } from './support/gateway.mjs';
import { startGateway, startUpstream } from './support/harness.mjs';

const screenshots = path.join(root, 'build/screenshots');
const slow = { text: 'one two three four five six seven eight nine ten', chunkDelayMs: 120 };

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds wrong with the page, in one line each. Evaluated, since the page allows no inline script. */
async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run());
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`));
}

let browser;
before(async () => {
  browser = await launch();
  await mkdir(screenshots, { recursive: true });
});
after(() => browser?.close());

/** A page in a context of its own. What the page logs as an error fails the test that asks for it. */
async function openPage(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) errors.push(message.text());
  });
  page.setDefaultTimeout(10_000);
  return { page, errors, close: () => context.close() };
}

for (const major of [7, 6]) {
  describe(`useChat, ai ${major}`, () => {
    let upstream, gateway, app, page, errors, close;
    before(async () => {
      app = await serveUseChatPage(major);
      upstream = await startUpstream();
      gateway = await startGateway({ config: configOf(bothKinds(upstream)), env: { CONCIERGUS_CORS_ORIGINS: app.origin } });
    });
    after(() => app.close());
    beforeEach(async () => {
      await close?.();
      upstream.reset();
      ({ page, errors, close } = await openPage());
    });
    after(() => close?.());

    const open = (id, resume = '') => page.goto(`${app.origin}/?${new URLSearchParams({ api: `${gateway.url}/api/chat`, id, resume })}`);
    const send = async (text) => {
      await page.fill('input[name=question]', text);
      await page.click('button:text("Send")');
    };
    const status = (wanted) => page.waitForFunction((w) => document.querySelector('#status').textContent === w, wanted);
    const answer = () => page.locator('li[data-role=assistant]').last().innerText();

    test('streams an answer, and gets it again from the cache in another chat', async () => {
      const q = question();
      for (const id of ['first', 'second']) {
        await open(id);
        await send(q);
        await page.locator('li[data-role=assistant]').waitFor();
        await status('ready');
        assert.equal(await answer(), `Answer 1 to: ${q}`);
      }
      assert.equal(upstream.calls.length, 1);
      assert.deepEqual(errors, []);
    });

    test('shows text as it comes, and stop stops', async () => {
      upstream.reset(slow);
      await open('stopped');
      await send(question());
      await page.waitForFunction(() => /three/.test(document.querySelector('li[data-role=assistant]')?.textContent));
      await page.click('#stop');
      await status('ready');
      assert.doesNotMatch(await answer(), /ten/);
    });

    test('regenerate gets another answer', async () => {
      const q = question();
      await open('again');
      await send(q);
      await status('ready');
      await page.click('#again');
      await page.waitForFunction(() => /^Answer 2/.test(document.querySelector('li[data-role=assistant]')?.textContent));
      assert.equal(upstream.calls.length, 2);
    });

    test('a tool call arrives with its input', async () => {
      upstream.reset({ tool: { id: 'c1', name: 'weather', arguments: '{"city":"Bern"}' } });
      await open('tool');
      await send(question());
      await status('ready');
      assert.equal(await answer(), '{"city":"Bern"}');
    });

    test('an error after text keeps the text and shows the sentence', async () => {
      upstream.reset({ ...slow, chunkDelayMs: 10, cutAfter: 4 });
      await open('error');
      await send(question());
      await status('error');
      assert.match(await answer(), /^one two three four/);
      assert.match(await page.innerText('#error'), /^[A-Z][^{}<>]+$/);
    });

    test('a reload in mid-answer resumes it; a page with nothing to resume shows no error', async () => {
      upstream.reset(slow);
      await open('resumed');
      await send(question());
      await page.waitForFunction(() => /three/.test(document.querySelector('li[data-role=assistant]')?.textContent));
      await open('resumed', '1');
      await page.waitForFunction((text) => document.querySelector('li[data-role=assistant]')?.textContent === text, slow.text);
      assert.equal(upstream.calls.length, 1);
      await open('nothing-to-resume', '1');
      await status('ready');
      assert.equal(await page.innerText('#error'), '');
    });
  });
}

describe('the demo page', () => {
  let upstream, gateway, page, errors, close;
  before(async () => {
    upstream = await startUpstream();
    gateway = await startGateway({ config: configOf(bothKinds(upstream)) });
  });
  beforeEach(async () => {
    await close?.();
    upstream.reset();
    ({ page, errors, close } = await openPage());
    await page.goto(gateway.url);
  });
  after(() => close?.());

  const ask = async (text) => {
    await page.getByLabel('Your question').fill(text);
    await page.keyboard.press('Enter');
  };
  const badge = () => page.locator('.badge').last().innerText();
  const done = () => page.getByRole('button', { name: 'Ask again' }).waitFor();
  const answer = () => page.getByRole('article', { name: 'Answer' }).locator('.markdown').last().innerText();

  test('asks, streams Markdown, and shows a cache hit the second time', async () => {
    upstream.reset({ text: '**Bold** and `code`.\n\n- one\n- two\n\n```js\nlet x = 1;\n```\n\n<img src=x onerror=alert(1)>', chunkDelayMs: 20 });
    await ask(question());
    await done();
    assert.equal(await badge(), 'cache miss');
    assert.equal(await page.locator('.markdown strong').innerText(), 'Bold');
    assert.equal(await page.locator('.markdown li').count(), 2);
    assert.equal(await page.locator('.markdown img').count(), 0);
    await page.getByRole('button', { name: 'Ask again' }).click();
    await page.waitForFunction(() => /cache hit/.test(document.querySelector('.badge')?.textContent));
    await done();
    const facts = await page.locator('.facts').innerText();
    assert.match(facts, /cache hit, .* old/);
    assert.match(facts, /First token/);
    assert.match(facts, /Saved/);
    assert.equal(upstream.calls.length, 1);
    assert.deepEqual(errors, []);
    await page.screenshot({ path: path.join(screenshots, 'demo-hit.png') });
  });

  test('Escape stops at the provider too', async () => {
    upstream.reset(slow);
    await ask(question());
    await page.waitForFunction(() => /three/.test(document.querySelector('.assistant')?.textContent));
    await page.keyboard.press('Escape');
    await page.getByText('Stopped.', { exact: true }).waitFor();
    await until(() => upstream.calls[0].abortedAt !== undefined, 'the upstream call to end');
    assert.ok(await page.getByLabel('Your question').evaluate((input) => input === document.activeElement), 'focus is back');
  });

  test('a reload in mid-answer resumes', async () => {
    upstream.reset(slow);
    await ask(question());
    await page.waitForFunction(() => /three/.test(document.querySelector('.assistant')?.textContent));
    await page.reload();
    await done();
    assert.equal(await answer(), slow.text);
    assert.equal(upstream.calls.length, 1);
  });

  test('a reload after the answer shows it as it was', async () => {
    await ask(question());
    await done();
    const before = await answer();
    await page.reload();
    assert.equal(await answer(), before);
    assert.equal(await badge(), 'cache miss');
  });

  test('regenerate calls the provider again', async () => {
    await ask(question());
    await done();
    await page.getByRole('button', { name: 'Regenerate' }).click();
    await page.waitForFunction(() => /^Answer 2/.test(document.querySelector('.assistant .markdown')?.textContent));
    assert.equal(upstream.calls.length, 2);
  });

  test('a failure is a sentence with a Retry', async () => {
    upstream.reset((_, number) => (number === 1 ? { status: 503 } : { text: 'Back again.' }));
    await ask(question());
    const alert = page.getByRole('alert');
    await alert.waitFor();
    assert.match(await alert.locator('p').innerText(), /^[A-Z][^{}<>]+$/);
    await alert.getByRole('button', { name: 'Retry' }).click();
    await done();
    assert.equal(await answer(), 'Back again.');
  });

  test('works from the keyboard alone', async () => {
    const q = question();
    await page.keyboard.type(q); // the question has the focus from the start
    await page.keyboard.press('Enter');
    await done();
    assert.equal(await answer(), `Answer 1 to: ${q}`);
    for (let n = 0; n < 12; n++) {
      await page.keyboard.press('Tab');
      if ((await page.evaluate(() => document.activeElement?.textContent)) === 'Ask again') break;
    }
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => /cache hit/.test(document.querySelector('.badge')?.textContent));
  });
});

describe('the demo page of a gateway with nothing configured', () => {
  test('says that the answers are simulated, in light and dark, wide and narrow', async () => {
    const gateway = await startGateway();
    for (const colorScheme of ['light', 'dark']) {
      for (const width of [1280, 390]) {
        const { page, errors, close } = await openPage({ colorScheme, viewport: { width, height: 800 } });
        await page.goto(gateway.url);
        await page.screenshot({ path: path.join(screenshots, `demo-welcome-${colorScheme}-${width}.png`) });
        assert.deepEqual(await violations(page), []);
        await page.locator('.welcome button').nth(2).click();
        await page.getByRole('note').getByText('built-in simulation').waitFor();
        await page.getByRole('button', { name: 'Ask again' }).waitFor({ timeout: 30_000 });
        assert.match(await page.locator('.facts').innerText(), /simulated/);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(overflow <= 0, `sideways scrolling at ${width}: ${overflow}`);
        await page.screenshot({ path: path.join(screenshots, `demo-${colorScheme}-${width}.png`) });
        assert.deepEqual(await violations(page), []);
        assert.deepEqual(errors, []);
        await close();
      }
    }
  });
});
