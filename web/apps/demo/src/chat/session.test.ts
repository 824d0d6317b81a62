import { describe, expect, test } from 'vitest';
import { ChatClient } from './client';
import { ChatSession } from './session';
import { answer, type Call, events, scriptedFetch, streamResponse } from './testing';

class MemoryStorage {
  readonly #items = new Map<string, string>();
  getItem(key: string): string | null {
    return this.#items.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.#items.set(key, value);
  }
}

function open(responses: Parameters<typeof scriptedFetch>, storage = new MemoryStorage()) {
  const { fetch, calls } = scriptedFetch(...responses);
  let ids = 0;
  let clock = 0;
  const session = new ChatSession({
    client: new ChatClient(fetch),
    storage,
    newId: () => `id${ids++}`,
    now: () => (clock += 10),
    nextFrame: (publish) => publish(),
  });
  return { session, calls, storage };
}

const bodyOfCall = (call: Call | undefined) => JSON.parse(String(call?.init.body));

/** A stream that gives `first` and then waits until it is aborted, as a model that is still writing. */
function endless(first: string) {
  return ({ init }: Call): Response =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(first));
          init.signal?.addEventListener('abort', () => controller.error(init.signal?.reason));
        },
      }),
      { headers: { 'content-type': 'text/event-stream' } },
    );
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('ChatSession', () => {
  test('asks, collects the answer, and measures it', async () => {
    const { session } = open([streamResponse([answer('Hello you')])]);
    await session.send('  hi ');
    const { messages, status, failure } = session.snapshot();
    expect(messages.map(({ role, text, end }) => ({ role, text, end }))).toEqual([
      { role: 'user', text: 'hi', end: undefined },
      { role: 'assistant', text: 'Hello you', end: 'complete' },
    ]);
    expect(messages[1]?.timing).toEqual({ firstTextMs: 10, totalMs: 20 });
    expect(status).toBe('idle');
    expect(failure).toBeUndefined();
  });

  test('repeat sends the same request again and remembers the first timing', async () => {
    const { session, calls } = open([streamResponse([answer('One')]), streamResponse([answer('One')])]);
    await session.send('hi');
    const first = session.snapshot().messages[1];
    await session.repeat();
    expect(bodyOfCall(calls[1])).toEqual(bodyOfCall(calls[0]));
    expect(session.snapshot().messages).toHaveLength(2);
    expect(session.snapshot().messages[1]?.earlier).toEqual(first?.timing);
  });

  test('regenerate says so, and names the answer it replaces', async () => {
    const { session, calls } = open([streamResponse([answer('One')]), streamResponse([answer('Two')])]);
    await session.send('hi');
    const replaced = session.snapshot().messages[1]?.id;
    await session.regenerate();
    expect(bodyOfCall(calls[1])).toMatchObject({ trigger: 'regenerate-message', messageId: replaced });
    expect(session.snapshot().messages.map(({ text }) => text)).toEqual(['hi', 'Two']);
  });

  test('stop ends the answer at the gateway too, and keeps what has come', async () => {
    const { session, calls } = open([
      endless(events({ type: 'text-delta', id: 't', delta: 'Half' })),
      new Response(null, { status: 204 }),
    ]);
    const sent = session.send('hi');
    await until(() => session.snapshot().messages[1]?.text === 'Half');
    await session.stop();
    await sent;
    expect(calls[1]?.url).toBe('/api/chat/id0/stop');
    expect(session.snapshot()).toMatchObject({ status: 'idle', messages: [{}, { text: 'Half', end: 'stopped' }] });
    expect(session.snapshot().failure).toBeUndefined();
  });

  test('a failure shows its sentence, and a retry clears it', async () => {
    const { session } = open([new Response('No model today.', { status: 503 }), streamResponse([answer('Now')])]);
    await session.send('hi');
    expect(session.snapshot().failure?.message).toBe('No model today.');
    await session.retry();
    expect(session.snapshot().failure).toBeUndefined();
    expect(session.snapshot().messages.at(-1)?.text).toBe('Now');
  });

  test('a lost connection leaves the answer open: a retry goes on with it', async () => {
    const half = events({ type: 'text-delta', id: 't', delta: 'Half' });
    const { session, calls } = open([streamResponse([half], {}, true), streamResponse([answer('Half and half')])]);
    await session.send('hi');
    expect(session.snapshot()).toMatchObject({ messages: [{}, { text: 'Half' }], failure: {} });
    await session.retry();
    expect(calls[1]?.url).toBe('/api/chat/id0/stream');
    expect(session.snapshot().messages.map(({ text }) => text)).toEqual(['hi', 'Half and half']);
    expect(session.snapshot().failure).toBeUndefined();
  });

  test('a retry asks again when the gateway no longer has the answer', async () => {
    const { session, calls } = open([
      new TypeError('fetch failed'),
      new Response(null, { status: 204 }),
      streamResponse([answer('At last')]),
    ]);
    await session.send('hi');
    expect(session.snapshot().failure?.message).toMatch(/cannot be reached/);
    await session.retry();
    expect(calls.map(({ url }) => url)).toEqual(['/api/chat', '/api/chat/id0/stream', '/api/chat']);
    expect(session.snapshot().messages.map(({ text }) => text)).toEqual(['hi', 'At last']);
  });

  test('after a reload in mid-answer it goes on from the beginning of that answer', async () => {
    const before = open([endless(events({ type: 'text-delta', id: 't', delta: 'Half' }))]);
    void before.session.send('hi');
    await until(() => before.session.snapshot().messages[1]?.text === 'Half');
    before.session.save();

    const after = open([streamResponse([answer('Half and half')])], before.storage);
    expect(after.session.snapshot().messages[1]?.text).toBe('Half');
    await after.session.resume();
    expect(after.calls[0]?.url).toBe('/api/chat/id0/stream');
    expect(after.session.snapshot().messages.map(({ text }) => text)).toEqual(['hi', 'Half and half']);
  });

  test('after a reload with nothing to resume it says so once', async () => {
    const before = open([endless('')]);
    void before.session.send('hi');
    before.session.save();
    const after = open([new Response(null, { status: 204 })], before.storage);
    await after.session.resume();
    expect(after.session.snapshot().failure?.message).toMatch(/interrupted/);
    await after.session.resume();
    expect(after.calls).toHaveLength(1);
  });

  test('a finished chat is restored without asking the gateway', async () => {
    const before = open([streamResponse([answer('Whole')])]);
    await before.session.send('hi');
    const after = open([], before.storage);
    await after.session.resume();
    expect(after.calls).toHaveLength(0);
    expect(after.session.snapshot().messages[1]?.text).toBe('Whole');
  });

  test('a new chat leaves the running answer behind', async () => {
    const { session } = open([endless(events({ type: 'text-delta', id: 't', delta: 'Old' })), streamResponse([answer('New')])]);
    const old = session.send('one');
    await until(() => session.snapshot().messages[1]?.text === 'Old');
    session.newChat();
    await session.send('two');
    await old;
    expect(session.snapshot().messages.map(({ text }) => text)).toEqual(['two', 'New']);
  });

  test('a damaged store starts a new chat', () => {
    const storage = new MemoryStorage();
    storage.setItem('conciergus.chat', '{"chatId":1,"messages":[{"id":"x"}]}');
    expect(open([], storage).session.snapshot().messages).toEqual([]);
  });
});
