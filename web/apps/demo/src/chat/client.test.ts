import { describe, expect, test } from 'vitest';
import { type Answer, ChatClient, ChatError, type ChatRequest, type StreamPart } from './client';
import { answer, events, scriptedFetch, streamResponse } from './testing';

const request: ChatRequest = {
  chatId: 'chat 1',
  messages: [{ id: 'u1', role: 'user', text: 'hi' }],
  trigger: 'submit-message',
};
const never = new AbortController().signal;

async function read(answer: Answer): Promise<{ text: string; parts: StreamPart[]; error?: unknown }> {
  const parts: StreamPart[] = [];
  let text = '';
  try {
    for await (const part of answer.parts) {
      parts.push(part);
      if (part.type === 'text') text += part.delta;
    }
  } catch (error) {
    return { text, parts, error };
  }
  return { text, parts };
}

describe('ask', () => {
  test('sends the body that useChat sends, and reads text and head', async () => {
    const { fetch, calls } = scriptedFetch(
      streamResponse([answer('Hello there you')], { 'cache-status': 'conciergus; hit; ttl=5', age: '3' }),
    );
    const got = await new ChatClient(fetch).ask(request, never);
    expect(got.head).toMatchObject({ cache: 'hit', ageSeconds: 3 });
    expect(await read(got)).toMatchObject({ text: 'Hello there you' });
    expect(calls[0]?.url).toBe('/api/chat');
    expect(JSON.parse(String(calls[0]?.init.body))).toEqual({
      id: 'chat 1',
      messages: [{ id: 'u1', role: 'user', parts: [{ type: 'text', text: 'hi' }] }],
      trigger: 'submit-message',
    });
  });

  test('reads the same text wherever the bytes are cut', async () => {
    const bytes = new TextEncoder().encode(answer('Grüße 🎉 an alle'));
    for (let cut = 0; cut <= bytes.length; cut++) {
      const { fetch } = scriptedFetch(streamResponse([bytes.slice(0, cut), bytes.slice(cut)]));
      const { text, error } = await read(await new ChatClient(fetch).ask(request, never));
      expect(error).toBeUndefined();
      expect(text).toBe('Grüße 🎉 an alle');
    }
  });

  test('passes over parts it does not know, and reads reasoning, reset and savings', async () => {
    const { fetch } = scriptedFetch(
      streamResponse([
        events(
          { type: 'start' },
          { type: 'data-conciergus', transient: true, data: { saved: { ms: 900 } } },
          { type: 'reasoning-delta', id: 'r', delta: 'Hm.' },
          { type: 'something-new', x: 1 },
          { type: 'reset-step' },
          { type: 'finish' },
        ),
      ]),
    );
    expect((await read(await new ChatClient(fetch).ask(request, never))).parts).toEqual([
      { type: 'saved', ms: 900 },
      { type: 'reasoning', delta: 'Hm.' },
      { type: 'reset' },
    ]);
  });

  test('throws the text of an error part after the text before it', async () => {
    const { fetch } = scriptedFetch(
      streamResponse(
        [events({ type: 'text-delta', id: 't', delta: 'Half' }, { type: 'error', errorText: 'The provider failed.' }, '[DONE]')],
        { 'x-request-id': 'r9' },
      ),
    );
    const { text, error } = await read(await new ChatClient(fetch).ask(request, never));
    expect(text).toBe('Half');
    expect(error).toBeInstanceOf(ChatError);
    expect(error).toMatchObject({ message: 'The provider failed.', requestId: 'r9' });
  });

  test('never takes a cut stream for a whole answer', async () => {
    const half = events({ type: 'text-delta', id: 't', delta: 'Half' });
    const ended = await read(await new ChatClient(scriptedFetch(streamResponse([half])).fetch).ask(request, never));
    expect(ended.error).toMatchObject({ message: 'The answer was cut off before its end.' });
    const lost = await read(
      await new ChatClient(scriptedFetch(streamResponse([half], {}, true)).fetch).ask(request, never),
    );
    expect(lost.error).toMatchObject({ message: 'The connection was lost while the answer came in.' });
    const garbled = await read(
      await new ChatClient(scriptedFetch(streamResponse(['data: {"type":\n\n'])).fetch).ask(request, never),
    );
    expect(garbled.error).toBeInstanceOf(ChatError);
  });

  test('shows the body of a refusal as its sentence', async () => {
    const { fetch } = scriptedFetch(new Response('The model is resting.', { status: 503, headers: { 'retry-after': '12' } }));
    await expect(new ChatClient(fetch).ask(request, never)).rejects.toMatchObject({
      message: 'The model is resting.',
      retryAfterMs: 12_000,
    });
  });

  test('reads a refusal in JSON, and hides a page in HTML', async () => {
    const json = { error: { code: 'circuit_open', message: 'Resting.', retryAfterMs: 1500, requestId: 'r2' } };
    const { fetch } = scriptedFetch(
      new Response(JSON.stringify(json), { status: 503 }),
      new Response('<html>Bad gateway</html>', { status: 502 }),
      new TypeError('fetch failed'),
      new Response('{}', { headers: { 'content-type': 'application/json' } }),
    );
    const client = new ChatClient(fetch);
    await expect(client.ask(request, never)).rejects.toMatchObject({
      message: 'Resting.',
      retryAfterMs: 1500,
      requestId: 'r2',
    });
    await expect(client.ask(request, never)).rejects.toThrow('The gateway refused (status 502).');
    await expect(client.ask(request, never)).rejects.toThrow('The gateway cannot be reached.');
    await expect(client.ask(request, never)).rejects.toThrow('not a chat stream');
  });

  test('rejects with the reason of the abort, before and during the answer', async () => {
    const abort = new AbortController();
    const { fetch } = scriptedFetch(
      streamResponse([events({ type: 'text-delta', id: 't', delta: 'Half' })], {}, true),
    );
    const got = await new ChatClient(fetch).ask(request, abort.signal);
    abort.abort();
    expect((await read(got)).error).toMatchObject({ name: 'AbortError' });
    await expect(new ChatClient(fetch).ask(request, abort.signal)).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('resume and stop', () => {
  test('204 means that nothing is running', async () => {
    const { fetch, calls } = scriptedFetch(new Response(null, { status: 204 }));
    expect(await new ChatClient(fetch).resume('a/b c', never)).toBeUndefined();
    expect(calls[0]?.url).toBe('/api/chat/a%2Fb%20c/stream');
  });

  test('a running answer comes from its beginning', async () => {
    const { fetch } = scriptedFetch(streamResponse([answer('All of it')]));
    const got = await new ChatClient(fetch).resume('c', never);
    expect(got && (await read(got)).text).toBe('All of it');
  });

  test('stop posts to the chat', async () => {
    const { fetch, calls } = scriptedFetch(new Response(null, { status: 204 }));
    await new ChatClient(fetch).stop('c');
    expect(calls[0]).toMatchObject({ url: '/api/chat/c/stop', init: { method: 'POST' } });
  });
});
