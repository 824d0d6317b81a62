// The AI SDK against the gateway: `streamText` over its OpenAI providers, and the transport under
// `useChat`, of this major and the one before.

import assert from 'node:assert/strict';
import { before, beforeEach, describe, test } from 'node:test';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import * as ai7 from 'ai';
import * as ai6 from 'ai6';
import { z } from 'zod';
import { question, until } from './support/clients.mjs';
import { startPair } from './support/harness.mjs';

const tool = { id: 'call_1', name: 'weather', arguments: '{"city":"Basel"}' };
const weather = { weather: ai7.tool({ inputSchema: z.object({ city: z.string() }) }) };

describe('streamText and generateText', () => {
  let upstream, gateway;
  const models = {};
  before(async () => {
    ({ upstream, gateway } = await startPair());
    const options = { baseURL: `${gateway.url}/v1`, apiKey: 'sk-caller' };
    models['@ai-sdk/openai-compatible'] = createOpenAICompatible({ name: 'conciergus', ...options })('gpt-test');
    models['@ai-sdk/openai, responses'] = createOpenAI(options)('gpt-test');
    models['@ai-sdk/openai, chat'] = createOpenAI(options).chat('gpt-test');
  });
  beforeEach(() => upstream.reset());

  for (const name of ['@ai-sdk/openai-compatible', '@ai-sdk/openai, responses', '@ai-sdk/openai, chat']) {
    describe(name, () => {
      const quiet = { maxRetries: 0, onError: () => undefined };

      test('stream, whole answer, and the cached replay', async () => {
        const prompt = question();
        const streamed = ai7.streamText({ model: models[name], prompt, temperature: 0, ...quiet });
        const pieces = [];
        for await (const piece of streamed.textStream) pieces.push(piece);
        assert.equal(pieces.join(''), `Answer 1 to: ${prompt}`);
        assert.ok(pieces.length > 3);
        assert.equal(await streamed.finishReason, 'stop');
        const whole = await ai7.generateText({ model: models[name], prompt, temperature: 0, maxRetries: 0 });
        assert.equal(whole.text, `Answer 1 to: ${prompt}`);
        assert.match(whole.response.headers['cache-status'], /; ?hit/);
        assert.equal(upstream.calls.length, 1);
      });

      test('tool call', async () => {
        upstream.reset({ tool });
        const result = ai7.streamText({ model: models[name], prompt: question(), tools: weather, ...quiet });
        await result.consumeStream();
        const [call] = await result.toolCalls;
        assert.equal(call.toolName, 'weather');
        assert.deepEqual(call.input, { city: 'Basel' });
      });

      test('an error after partial text is an error', async () => {
        upstream.reset({ cutAfter: 3 });
        const errors = [];
        let text = '';
        const result = ai7.streamText({ model: models[name], prompt: question(), maxRetries: 0, onError: ({ error }) => void errors.push(error) });
        for await (const part of result.fullStream) if (part.type === 'text-delta') text += part.text;
        assert.match(text, /^Answer 1/);
        assert.equal(errors.length, 1);
      });

      test('abort', async () => {
        upstream.reset({ chunkDelayMs: 50, text: 'word '.repeat(100) });
        const abort = new AbortController();
        const result = ai7.streamText({ model: models[name], prompt: question(), abortSignal: abort.signal, ...quiet });
        for await (const part of result.fullStream) {
          if (part.type === 'text-delta') abort.abort();
        }
        await until(() => upstream.calls[0].abortedAt !== undefined, 'the upstream call to end');
      });
    });
  }
});

for (const [major, ai] of Object.entries({ 7: ai7, 6: ai6 })) {
  describe(`the transport of useChat, ai ${major}`, () => {
    let upstream, gateway, transport;
    before(async () => {
      ({ upstream, gateway } = await startPair());
      transport = new ai.DefaultChatTransport({ api: `${gateway.url}/api/chat` });
    });
    beforeEach(() => upstream.reset());

    const message = (text) => ({ id: 'u1', role: 'user', parts: [{ type: 'text', text }] });
    const send = (text, rest = {}) => transport.sendMessages({ chatId: 'chat-1', trigger: 'submit-message', messages: [message(text)], ...rest });

    /** The messages as they grow, the last one whole; rejects as useChat's onError would be called. */
    async function readAll(stream) {
      const errors = [];
      let last;
      for await (const grown of ai.readUIMessageStream({ stream, onError: (error) => errors.push(error) })) last = grown;
      return { message: last, errors };
    }
    const textOf = ({ message: { parts } }) => parts.filter(({ type }) => type === 'text').map(({ text }) => text).join('');

    test('a whole answer; a second one from the cache with the same words and a new id', async () => {
      const q = question();
      const first = await readAll(await send(q));
      const second = await readAll(await send(q));
      assert.equal(textOf(first), `Answer 1 to: ${q}`);
      assert.equal(textOf(second), textOf(first));
      assert.equal(upstream.calls.length, 1);
      assert.notEqual(second.message.id, first.message.id);
      assert.ok(first.message.parts.filter(({ type }) => type === 'text').every(({ state }) => state !== 'streaming'), 'every part is ended');
    });

    test('reasoning and a tool call', async () => {
      upstream.reset({ reasoning: 'Let me see.', text: 'One moment.', tool });
      const { message: got, errors } = await readAll(await send(question()));
      assert.deepEqual(errors, []);
      const kinds = got.parts.map(({ type }) => type).filter((type) => type !== 'step-start');
      assert.deepEqual(kinds.slice(0, 2), ['reasoning', 'text']);
      const call = got.parts.at(-1);
      assert.ok(call.type === 'tool-weather' || call.type === 'dynamic-tool', call.type);
      assert.equal(call.state, 'input-available');
      assert.deepEqual(call.input, { city: 'Basel' });
    });

    test('upstream comments, CRLF, no role chunk, no [DONE]', async () => {
      for (const behaviour of [{ comments: true, crlf: true }, { withoutRole: true }, { withoutDone: true }]) {
        upstream.reset({ ...behaviour, text: 'All well.' });
        assert.equal(textOf(await readAll(await send(question()))), 'All well.', JSON.stringify(behaviour));
      }
    });

    test('an error after partial text keeps the text, and is one error', async () => {
      upstream.reset({ cutAfter: 3 });
      const got = await readAll(await send(question()));
      assert.match(textOf(got), /^Answer 1/);
      assert.equal(got.errors.length, 1);
      assert.doesNotMatch(String(got.errors[0].message), /Validation|UIMessageStream/);
    });

    test('a refusal is one safe sentence', async () => {
      upstream.reset({ status: 503 });
      await assert.rejects(send(question()), ({ message: words }) => {
        assert.match(words, /^[A-Z][^{}<>]{5,300}$/);
        return true;
      });
    });

    test('private signals come only when asked for, and hurt nobody', async () => {
      const raw = async (headers) => (await fetch(`${gateway.url}/api/chat`, {
        method: 'POST', headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ id: 'c', trigger: 'submit-message', messages: [message(question())] }),
      })).text();
      assert.doesNotMatch(await raw({}), /data-conciergus/);
      assert.match(await raw({ 'x-conciergus-signals': 'data' }), /data-conciergus/);
      const got = await readAll(await send(question(), { headers: { 'x-conciergus-signals': 'data' } }));
      assert.deepEqual(got.errors, []);
      assert.ok(got.message.parts.every(({ type }) => type !== 'data-conciergus'), 'transient');
    });

    test('resume: null when nothing runs, the whole answer when one does', async () => {
      assert.equal(await transport.reconnectToStream({ chatId: 'nothing-here' }), null);
      upstream.reset({ text: 'one two three four five', chunkDelayMs: 100 });
      const abort = new AbortController();
      const stream = await send(question(), { chatId: `resume-${major}`, abortSignal: abort.signal });
      await stream.getReader().read();
      abort.abort();
      const again = await transport.reconnectToStream({ chatId: `resume-${major}` });
      assert.ok(again);
      assert.equal(textOf(await readAll(again)), 'one two three four five');
      assert.equal(upstream.calls.length, 1);
    });

    test('an earlier turn, a file and a tool result reach the provider', async () => {
      await readAll(
        await transport.sendMessages({
          chatId: 'turns', trigger: 'submit-message',
          messages: [
            { id: 's', role: 'system', parts: [{ type: 'text', text: 'Be brief.' }] },
            { id: 'a', role: 'user', parts: [{ type: 'text', text: 'Look' }, { type: 'file', mediaType: 'image/png', url: 'data:image/png;base64,iVBORw0KGgo=' }] },
            { id: 'b', role: 'assistant', parts: [{ type: 'step-start' }, { type: 'tool-weather', toolCallId: 'c9', state: 'output-available', input: { city: 'Chur' }, output: { degrees: 4 } }, { type: 'text', text: 'Cold.' }] },
            { id: 'c', role: 'user', parts: [{ type: 'text', text: 'And now?' }], metadata: { x: 1 } },
          ],
        }),
      );
      const { messages } = upstream.calls[0].body;
      assert.equal(messages[0].role, 'system');
      const sent = JSON.stringify(messages);
      for (const wanted of ['image_url', 'iVBORw0KGgo=', '"tool_call_id":"c9"', 'degrees', 'Cold.', 'And now?']) assert.ok(sent.includes(wanted), `${wanted} in ${sent}`);
      assert.equal(messages.at(-1).role, 'user');
    });
  });
}
