// A stream that was interrupted goes on; a stop ends it; nobody gets what is not theirs.

import assert from 'node:assert/strict';
import { before, beforeEach, describe, test } from 'node:test';
import { ask, chat, parseSse, question, read, ui, until } from './support/clients.mjs';
import { startPair } from './support/harness.mjs';

/** Reads a response until its text contains `word`, then leaves. Returns what came. */
async function readUntil(response, protocol, word, abort) {
  const decoder = new TextDecoder();
  let raw = '';
  for await (const chunk of response.body) {
    raw += decoder.decode(chunk, { stream: true });
    if (raw.includes(word)) break;
  }
  abort.abort();
  return raw.slice(0, raw.lastIndexOf('\n\n') + 2);
}

const slow = { text: 'one two three four five six seven eight', chunkDelayMs: 80 };

describe('the UI stream', () => {
  let upstream, gateway;
  before(async () => {
    ({ upstream, gateway } = await startPair());
  });
  beforeEach(() => upstream.reset(slow));

  const post = (body, signal, headers = {}) => fetch(`${gateway.url}/api/chat`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body), signal });
  const resume = (id, headers = {}) => fetch(`${gateway.url}/api/chat/${encodeURIComponent(id)}/stream`, { headers });

  async function interrupted(id, headers) {
    const abort = new AbortController();
    const response = await post(ui.body({ question: question(), id }), abort.signal, headers);
    await readUntil(response, ui, 'three', abort);
  }

  test('is given again from its beginning while it runs, without a second upstream call', async () => {
    await interrupted('resume/1 é');
    const response = await resume('resume/1 é');
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('x-vercel-ai-ui-message-stream'), 'v1');
    const outcome = await read(response, ui);
    assert.equal(outcome.text, slow.text);
    assert.equal(outcome.end, 'complete');
    assert.equal(upstream.calls.length, 1);
    assert.equal(upstream.calls[0].abortedAt, undefined);
  });

  test('is given after its end too, when nobody got it in full', async () => {
    await interrupted('resume-late');
    await until(() => upstream.calls[0].finished, 'the upstream call to finish');
    const outcome = await read(await resume('resume-late'), ui);
    assert.equal(outcome.text, slow.text);
  });

  test('204 for an unknown chat, a delivered one, and somebody else’s', async () => {
    assert.equal((await resume('never-seen')).status, 204);
    upstream.reset();
    await ask(gateway.url, ui, ui.body({ question: question(), id: 'delivered' }));
    assert.equal((await resume('delivered')).status, 204);
    upstream.reset(slow);
    await interrupted('mine', { authorization: 'Bearer me' });
    assert.equal((await resume('mine', { authorization: 'Bearer you' })).status, 204);
    assert.equal((await resume('mine', { authorization: 'Bearer me' })).status, 200);
  });

  test('stop ends the answer here and at the provider, and nothing is stored', async () => {
    const body = ui.body({ question: question(), id: 'stopped' });
    let soFar = '';
    const running = ask(gateway.url, ui, body, { onText: (text) => (soFar = text) });
    await until(() => soFar.includes('two'), 'the second word');
    const stop = await fetch(`${gateway.url}/api/chat/stopped/stop`, { method: 'POST' });
    assert.ok(stop.ok, `${stop.status}`);
    const asked = performance.now();
    const outcome = await running;
    assert.doesNotMatch(outcome.text, /eight/);
    assert.ok(performance.now() - asked < 500);
    await until(() => upstream.calls[0].abortedAt !== undefined, 'the upstream call to end');
    assert.equal((await resume('stopped')).status, 204);
    upstream.reset({ text: 'afresh' });
    assert.equal((await ask(gateway.url, ui, body)).text, 'afresh');
  });

  test('stop after a disconnect ends the upstream call', async () => {
    await interrupted('left-then-stopped');
    assert.equal(upstream.calls[0].abortedAt, undefined);
    await fetch(`${gateway.url}/api/chat/left-then-stopped/stop`, { method: 'POST' });
    await until(() => upstream.calls[0].abortedAt !== undefined, 'the upstream call to end');
  });

  test('stop of somebody else’s chat does nothing', async () => {
    const running = ask(gateway.url, ui, ui.body({ question: question(), id: 'theirs' }), { headers: { authorization: 'Bearer me' } });
    await until(() => upstream.calls.length === 1, 'the upstream call');
    await fetch(`${gateway.url}/api/chat/theirs/stop`, { method: 'POST', headers: { authorization: 'Bearer you' } });
    assert.equal((await running).end, 'complete');
  });

  test('stop by one of two who share a call leaves the other its answer', async () => {
    const q = question();
    const first = ask(gateway.url, ui, ui.body({ question: q, id: 'share-a' }));
    await until(() => upstream.calls.length === 1, 'the upstream call');
    const second = ask(gateway.url, ui, ui.body({ question: q, id: 'share-b' }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await fetch(`${gateway.url}/api/chat/share-a/stop`, { method: 'POST' });
    assert.equal((await second).text, slow.text);
    await first;
    assert.equal(upstream.calls.length, 1);
  });

  test('stop of a chat that does not run is not an error', async () => {
    assert.ok((await fetch(`${gateway.url}/api/chat/nothing/stop`, { method: 'POST' })).ok);
  });
});

describe('Last-Event-ID', () => {
  let upstream, gateway;
  before(async () => {
    ({ upstream, gateway } = await startPair({ resume: { v1: true, window: '2s' } }));
  });
  beforeEach(() => upstream.reset(slow));

  const post = (body, headers = {}, signal = undefined) =>
    fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body), signal });

  async function interrupted(body, headers) {
    const abort = new AbortController();
    const raw = await readUntil(await post(body, headers, abort.signal), chat, 'three', abort);
    return parseSse(raw);
  }

  test('every event has an id, and the stream goes on after the one named', async () => {
    const body = chat.body({ question: question(), stream: true });
    const seen = await interrupted(body);
    assert.ok(seen.every(({ id }) => /^[\w-]+:\d+$/.test(id)), JSON.stringify(seen.map(({ id }) => id)));
    const rest = await read(await post(body, { 'last-event-id': seen.at(-1).id }), chat);
    assert.equal(rest.status, 200);
    const text = seen.map(({ data }) => chat.text(JSON.parse(data))).join('') + rest.text;
    assert.equal(text, slow.text);
    assert.equal(rest.end, 'complete');
    assert.equal(upstream.calls.length, 1);
  });

  test('404 for another tenant, 410 when the window has passed', async () => {
    const body = chat.body({ question: question(), stream: true });
    const seen = await interrupted(body, { authorization: 'Bearer me' });
    const id = { 'last-event-id': seen.at(-1).id };
    assert.equal((await post(body, { ...id, authorization: 'Bearer you' })).status, 404);
    await until(() => upstream.calls[0].finished, 'the upstream call to finish');
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    assert.equal((await post(body, { ...id, authorization: 'Bearer me' })).status, 410);
  });
});
