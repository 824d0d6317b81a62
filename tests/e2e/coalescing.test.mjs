// Identical questions at the same time cost one upstream call; different tenants never share one.

import assert from 'node:assert/strict';
import http from 'node:http';
import { before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, cacheStatus, chat, parseSse, question, until } from './support/clients.mjs';
import { startPair } from './support/harness.mjs';

/** A POST on a connection of its own, with little cost per request. Resolves with {status, cache, raw}. */
function post(gateway, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(`${gateway.url}/v1/chat/completions`, { method: 'POST', agent: false, headers: { 'content-type': 'application/json', ...headers } }, (response) => {
      let raw = '';
      response.setEncoding('utf8').on('data', (chunk) => (raw += chunk));
      response.on('end', () => resolve({ status: response.statusCode, cache: response.headers['cache-status'], raw }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(JSON.stringify(body));
  });
}

/** The events of a stream without the ids that make it resumable. */
const dataOf = (raw) => parseSse(raw).map(({ data }) => data).join('\n');

describe('coalescing', () => {
  let upstream, gateway;
  before(async () => {
    ({ upstream, gateway } = await startPair());
  });
  beforeEach(() => upstream.reset());

  for (const stream of [true, false]) {
    test(`1,000 clients, one upstream call${stream ? ', streaming' : ''}`, async () => {
      upstream.reset({ headDelayMs: 2_000, text: 'One answer for all of you, word by word.' });
      const body = chat.body({ question: question(), stream });
      const answers = await Promise.all(Array.from({ length: 1_000 }, () => post(gateway, body)));
      assert.equal(upstream.calls.length, 1);
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
      assert.equal(new Set(answers.map(({ raw }) => (stream ? dataOf(raw) : raw))).size, 1, 'all answers identical');
      assert.match(answers[0].raw, stream ? /\[DONE\]/ : /word by word/);
      const collapsed = answers.filter(({ cache }) => /fwd=miss; ?collapsed/.test(cache)).length;
      const hits = answers.filter(({ cache }) => /; ?hit/.test(cache)).length;
      assert.equal(collapsed + hits, 999, `${collapsed} collapsed, ${hits} hits`);
    });
  }

  test('100 tenants, 100 upstream calls', async () => {
    upstream.reset({ headDelayMs: 300 });
    const body = chat.body({ question: question() });
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => post(gateway, body, { authorization: `Bearer tenant-${n}` })));
    assert.equal(upstream.calls.length, 100);
    assert.equal(new Set(answers.map(({ raw }) => raw)).size, 100);
  });

  test('a late joiner gets the beginning, then goes along live', async () => {
    upstream.reset({ text: 'one two three four five six', chunkDelayMs: 100 });
    const body = chat.body({ question: question(), stream: true });
    let soFar = '';
    const first = ask(gateway.url, chat, body, { onText: (text) => (soFar = text) });
    await until(() => soFar.includes('three'), 'the third word');
    const second = await ask(gateway.url, chat, body);
    assert.equal(second.text, 'one two three four five six');
    assert.equal(cacheStatus(second.headers).collapsed, 'true');
    assert.deepEqual(second.events, (await first).events);
    assert.equal(upstream.calls.length, 1);
  });

  test('whole and streaming clients share a call', async () => {
    upstream.reset({ text: 'shared by both', headDelayMs: 200 });
    const q = question();
    const [streamed, whole] = await Promise.all([true, false].map((stream) => ask(gateway.url, chat, chat.body({ question: q, stream }))));
    assert.equal(streamed.text, 'shared by both');
    assert.equal(whole.text, 'shared by both');
    assert.equal(upstream.calls.length, 1);
  });

  test('the leader’s leaving does not end the others', async () => {
    upstream.reset({ text: 'one two three four five six', chunkDelayMs: 60 });
    const body = chat.body({ question: question(), stream: true });
    const leader = new AbortController();
    let soFar = '';
    const first = ask(gateway.url, chat, body, { signal: leader.signal, onText: (text) => (soFar = text) }).catch((error) => error);
    await until(() => soFar.includes('one'), 'the first word');
    const second = ask(gateway.url, chat, body);
    await sleep(50);
    leader.abort();
    assert.equal((await first).name, 'AbortError');
    assert.equal((await second).text, 'one two three four five six');
    assert.equal((await second).end, 'complete');
    assert.equal(upstream.calls.length, 1);
    assert.equal(upstream.calls[0].abortedAt, undefined);
  });

  test('the last one’s leaving ends the upstream call within 100 ms', async () => {
    upstream.reset({ text: 'word '.repeat(200), chunkDelayMs: 50 });
    const body = chat.body({ question: question(), stream: true });
    const leaving = new AbortController();
    let begun = 0;
    const clients = Array.from({ length: 3 }, () =>
      ask(gateway.url, chat, body, { signal: leaving.signal, onText: (text) => (begun |= text ? 1 : 0) }).catch((error) => error));
    await until(() => begun, 'the first word');
    leaving.abort();
    const left = performance.now();
    await Promise.all(clients);
    await until(() => upstream.calls[0].abortedAt !== undefined, 'the upstream call to end');
    assert.ok(upstream.calls[0].abortedAt - left < 150, `${upstream.calls[0].abortedAt - left} ms`);
  });

  test('a failure is one failure for all, and the next question starts anew', async () => {
    upstream.reset((_, number) => (number === 1 ? { status: 500, headDelayMs: 200 } : { text: 'Better now.' }));
    const body = chat.body({ question: question() });
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(gateway, body)));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [502]);
    assert.equal(upstream.calls.length, 1);
    assert.match((await post(gateway, body)).raw, /Better now/);
  });

  test('a slow reader holds nobody up', async () => {
    upstream.reset({ text: 'some words to fill the pipe '.repeat(20_000) });
    const body = chat.body({ question: question(), stream: true });
    const slow = http.request(`${gateway.url}/v1/chat/completions`, { method: 'POST', agent: false, headers: { 'content-type': 'application/json' } });
    slow.on('response', (response) => response.pause()).on('error', () => undefined);
    slow.end(JSON.stringify(body));
    await until(() => upstream.calls.length === 1, 'the upstream call');
    const started = performance.now();
    const quick = await ask(gateway.url, chat, body);
    slow.destroy();
    assert.equal(quick.end, 'complete', `${quick.raw.slice(-300)}`);
    assert.ok(performance.now() - started < 15_000);
  });
});

test('coalescing can be switched off', async () => {
  const { upstream, gateway } = await startPair({ cache: { coalesce: false, policy: 'never' } }, { headDelayMs: 200 });
  const body = chat.body({ question: question() });
  await Promise.all(Array.from({ length: 5 }, () => post(gateway, body)));
  assert.equal(upstream.calls.length, 5);
});
