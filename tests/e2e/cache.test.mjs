// What is answered from the cache, what is not, and what the gateway says about it.

import assert from 'node:assert/strict';
import { before, beforeEach, describe, test } from 'node:test';
import { anthropic, ask, cacheStatus, chat, protocols, question, responses, shapes, ui } from './support/clients.mjs';
import { startPair } from './support/harness.mjs';

describe('cache', () => {
  let upstream, gateway;
  before(async () => {
    ({ upstream, gateway } = await startPair());
  });
  beforeEach(() => upstream.reset());

  const say = (protocol, fields, headers) => ask(gateway.url, protocol, protocol.body(fields), { headers });

  for (const { protocol, stream, label } of shapes) {
    test(`${label}: the second answer is a hit with the same words`, async () => {
      const fields = { question: question(), stream, ...(protocol === ui ? {} : { temperature: 0 }) };
      const first = await say(protocol, fields);
      const second = await say(protocol, fields);
      assert.equal(first.end, 'complete', first.raw);
      assert.equal(cacheStatus(first.headers).fwd, 'miss');
      assert.equal(cacheStatus(second.headers).hit, 'true', second.headers.get('cache-status'));
      assert.ok(Number(cacheStatus(second.headers).ttl) > 0);
      assert.match(second.headers.get('age'), /^\d+$/);
      assert.equal(second.text, first.text);
      assert.equal(second.end, 'complete');
      assert.equal(upstream.calls.length, 1);
      assert.ok(second.headers.get('x-request-id'));
      assert.notEqual(second.headers.get('x-request-id'), first.headers.get('x-request-id'));
    });
  }

  test('a stored UI stream is a new message to the client', async () => {
    const fields = { question: question() };
    const ids = [];
    for (let i = 0; i < 2; i++) ids.push((await say(ui, fields)).events.find(({ type }) => type === 'start').messageId);
    assert.notEqual(ids[0], ids[1]);
  });

  test('one record serves stream and whole, in both directions', async () => {
    for (const protocol of [chat, anthropic, responses]) {
      for (const first of [true, false]) {
        upstream.reset();
        const fields = { question: question(), temperature: 0 };
        const a = await say(protocol, { ...fields, stream: first });
        const b = await say(protocol, { ...fields, stream: !first });
        assert.equal(b.text, a.text, `${protocol.name}, first ${first ? 'streamed' : 'whole'}`);
        assert.equal(upstream.calls.length, 1, `${protocol.name}, first ${first ? 'streamed' : 'whole'}`);
      }
    }
  });

  test('a replay keeps the event boundaries of the provider', async () => {
    const fields = { question: question(), temperature: 0, stream: true };
    const first = await say(chat, fields);
    const second = await say(chat, fields);
    const pieces = (outcome) => outcome.events.map(chat.text).filter(Boolean);
    assert.deepEqual(pieces(second), pieces(first));
  });

  test('a record made from a whole answer is cut at words', async () => {
    upstream.reset({ text: 'The quick brown fox jumps over the lazy dog and then rests for quite a while.' });
    const fields = { question: question(), temperature: 0 };
    await say(chat, fields);
    const pieces = (await say(chat, { ...fields, stream: true })).events.map(chat.text).filter(Boolean);
    assert.ok(pieces.length > 2, `${pieces.length} pieces`);
    assert.ok(pieces.every((piece) => piece.length <= 28), JSON.stringify(pieces));
  });

  test('no temperature: kept for a shorter time than temperature 0', async () => {
    const ttl = async (rest) => {
      const fields = { question: question(), ...rest };
      await say(chat, fields);
      return Number(cacheStatus((await say(chat, fields)).headers).ttl);
    };
    const short = await ttl({});
    assert.ok(short > 0 && short <= 600, `${short}`);
    assert.ok((await ttl({ temperature: 0 })) > short);
    assert.ok((await ttl({ seed: 7 })) > short);
  });

  for (const [what, fields] of Object.entries({
    'a high temperature': { temperature: 0.9 },
    'several answers': { n: 2 },
    'stored state': { store: true },
  })) {
    test(`${what} is not cached, and Cache-Status says why`, async () => {
      const asked = { question: question(), ...fields };
      await say(chat, asked);
      const second = await say(chat, asked);
      assert.equal(upstream.calls.length, 2);
      assert.equal(cacheStatus(second.headers).hit, undefined);
      assert.ok(cacheStatus(second.headers).detail, second.headers.get('cache-status'));
    });
  }

  for (const [what, behaviour] of Object.entries({
    'an answer that reached its length': { finish: 'length' },
    'a filtered answer': { finish: 'content_filter' },
    'a tool call': { tool: { id: 'c', name: 'f', arguments: '{}' } },
    'an error': { status: 500 },
    'a cut stream': { cutAfter: 2 },
    'a stream without its terminal event': { withoutDone: true },
    'an error after text': { errorAfter: 2 },
  })) {
    test(`${what} is not stored`, async () => {
      const asked = { question: question(), temperature: 0, stream: true };
      upstream.reset(behaviour);
      await say(chat, asked);
      upstream.reset();
      const second = await say(chat, asked);
      assert.equal(cacheStatus(second.headers).hit, undefined);
      assert.equal(upstream.calls.length, 1);
      assert.equal(second.end, 'complete');
    });
  }

  describe('the request’s Cache-Control', () => {
    const asked = () => ({ question: question(), temperature: 0 });
    test('no-cache asks the provider and refreshes the record', async () => {
      const fields = asked();
      await say(chat, fields);
      const fresh = await say(chat, fields, { 'cache-control': 'no-cache' });
      assert.match(fresh.text, /^Answer 2/);
      assert.match((await say(chat, fields)).text, /^Answer 2/);
      assert.equal(upstream.calls.length, 2);
    });
    test('no-store leaves no record', async () => {
      const fields = asked();
      await say(chat, fields, { 'cache-control': 'no-store' });
      await say(chat, fields);
      assert.equal(upstream.calls.length, 2);
    });
    test('only-if-cached answers 504 when there is none', async () => {
      const fields = asked();
      assert.equal((await say(chat, fields, { 'cache-control': 'only-if-cached' })).status, 504);
      assert.equal(upstream.calls.length, 0);
      await say(chat, fields);
      assert.equal((await say(chat, fields, { 'cache-control': 'only-if-cached' })).status, 200);
    });
    test('max-age=0 refuses an older record', async () => {
      const fields = asked();
      await say(chat, fields);
      await new Promise((resolve) => setTimeout(resolve, 1100));
      await say(chat, fields, { 'cache-control': 'max-age=0' });
      assert.equal(upstream.calls.length, 2);
    });
  });

  test('regenerate-message asks the provider and replaces the record', async () => {
    const q = question();
    await say(ui, { question: q });
    const again = await say(ui, { question: q, trigger: 'regenerate-message' });
    assert.match(again.text, /^Answer 2/);
    assert.match((await say(ui, { question: q })).text, /^Answer 2/);
    assert.equal(upstream.calls.length, 2);
  });

  test('chat and message ids do not reach the key; an unknown field does', async () => {
    const q = question();
    await say(ui, { question: q, id: 'a' });
    assert.equal(cacheStatus((await say(ui, { question: q, id: 'b' })).headers).hit, 'true');
    const fields = { question: q, temperature: 0 };
    await say(chat, fields);
    assert.equal(cacheStatus((await say(chat, { ...fields, user: 'u', metadata: { a: 'b' } })).headers).hit, 'true');
    assert.equal(cacheStatus((await say(chat, { ...fields, x_new: 1 })).headers).hit, undefined);
  });

  test('two callers with different credentials never share an answer', async () => {
    const fields = { question: question(), temperature: 0 };
    await say(chat, fields, { authorization: 'Bearer one' });
    const other = await say(chat, fields, { authorization: 'Bearer two' });
    assert.match(other.text, /^Answer 2/);
    assert.equal(cacheStatus((await say(chat, fields, { authorization: 'Bearer one' })).headers).hit, 'true');
    assert.equal(upstream.calls.length, 2);
  });

  test('the key is never shown', async () => {
    for (const protocol of protocols) {
      const { headers } = await say(protocol, { question: question() });
      assert.doesNotMatch(headers.get('cache-status') ?? '', /key=|[0-9a-f]{64}/);
    }
  });
});

test('only-deterministic and never do what they say', async () => {
  for (const [policy, fields, hits] of [
    ['deterministic-only', {}, false],
    ['deterministic-only', { temperature: 0 }, true],
    ['any', { temperature: 1 }, true],
    ['never', { temperature: 0 }, false],
  ]) {
    const { gateway } = await startPair({ cache: { policy } });
    const body = chat.body({ question: question(), ...fields });
    await ask(gateway.url, chat, body);
    const { headers } = await ask(gateway.url, chat, body);
    assert.equal(cacheStatus(headers).hit === 'true', hits, `${policy} ${JSON.stringify(fields)}: ${headers.get('cache-status')}`);
  }
});

test('where keys are issued, only they are let in, and their names separate the cache', async () => {
  const { upstream, gateway } = await startPair({ tenants: [{ name: 'a', key: 'key-a' }, { name: 'a', key: 'key-a2' }, { name: 'b', key: 'key-b' }] });
  const body = chat.body({ question: question(), temperature: 0 });
  const as = (key) => ask(gateway.url, chat, body, { headers: key ? { authorization: `Bearer ${key}` } : {} });
  assert.equal((await as('unknown')).status, 401);
  assert.equal((await as(undefined)).status, 401);
  assert.equal(upstream.calls.length, 0);
  await as('key-a');
  assert.equal(cacheStatus((await as('key-a2')).headers).hit, 'true');
  assert.equal(cacheStatus((await as('key-b')).headers).hit, undefined);
  assert.equal(upstream.calls.length, 2);
});
