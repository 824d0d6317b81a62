// The `@anthropic-ai/sdk` package talks to the gateway, in front of Anthropic and in front of OpenAI.

import assert from 'node:assert/strict';
import { before, beforeEach, describe, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { question, until } from './support/clients.mjs';
import { startPair } from './support/harness.mjs';

const tool = { id: 'toolu_1', name: 'weather', arguments: '{"city":"Bern"}' };
const tools = [{ name: 'weather', input_schema: { type: 'object', properties: { city: { type: 'string' } } } }];

for (const { provider, model } of [
  { provider: 'passed through to Anthropic', model: 'claude-test' },
  { provider: 'translated for OpenAI', model: 'gpt-test' },
]) {
  describe(`@anthropic-ai/sdk, ${provider}`, () => {
    let upstream, gateway, client;
    before(async () => {
      ({ upstream, gateway } = await startPair());
      client = new Anthropic({ baseURL: gateway.url, apiKey: 'sk-caller', maxRetries: 0 });
    });
    beforeEach(() => upstream.reset());

    const request = (content, rest = {}) => ({ model, max_tokens: 500, messages: [{ role: 'user', content }], ...rest });

    test('gets a whole answer', async () => {
      const q = question();
      const answer = await client.messages.create(request(q));
      assert.equal(answer.content[0].text, `Answer 1 to: ${q}`);
      assert.equal(answer.stop_reason, 'end_turn');
      assert.equal(answer.usage.input_tokens, 7);
      assert.ok(answer._request_id ?? true);
    });

    test('gets a stream with all its events', async () => {
      const q = question();
      const types = [];
      const stream = client.messages.stream(request(q)).on('streamEvent', ({ type }) => types.push(type));
      const final = await stream.finalMessage();
      assert.equal(final.content[0].text, `Answer 1 to: ${q}`);
      assert.equal(final.stop_reason, 'end_turn');
      assert.equal(types[0], 'message_start');
      assert.deepEqual(types.slice(-3), ['content_block_stop', 'message_delta', 'message_stop']);
      assert.ok(types.filter((type) => type === 'content_block_delta').length > 5);
    });

    for (const stream of [false, true]) {
      test(`gets a tool call${stream ? ' as a stream' : ''}`, async () => {
        upstream.reset({ tool });
        const asked = request(question(), { tools });
        const final = stream ? await client.messages.stream(asked).finalMessage() : await client.messages.create(asked);
        const block = final.content.find(({ type }) => type === 'tool_use');
        assert.equal(block.id, 'toolu_1');
        assert.equal(block.name, 'weather');
        assert.deepEqual(block.input, { city: 'Bern' });
        assert.equal(final.stop_reason, 'tool_use');
      });
    }

    test('gets the second answer from the cache, identical to the first', async () => {
      const asked = request(question(), { temperature: 0, stream: true });
      const read = async () => {
        const { data, response } = await client.messages.create(asked).withResponse();
        const events = [];
        for await (const event of data) events.push(event);
        return { events, cache: response.headers.get('cache-status') };
      };
      const first = await read();
      const second = await read();
      assert.equal(upstream.calls.length, 1);
      assert.match(second.cache, /^conciergus; ?hit/);
      const withoutPings = ({ events }) => events.filter(({ type }) => type !== 'ping');
      assert.deepEqual(withoutPings(second), withoutPings(first));
      const whole = await client.messages.create({ ...asked, stream: false });
      assert.equal(upstream.calls.length, 1);
      assert.match(whole.content[0].text, /^Answer 1 to: /);
    });

    test('sees the provider’s refusal as the right class', async () => {
      upstream.reset({ status: 400 });
      await assert.rejects(client.messages.create(request(question())), (error) => error instanceof Anthropic.BadRequestError && error.error.type === 'error' && /upstream says 400/.test(error.message));
    });

    for (const [name, behaviour] of Object.entries({ cut: { cutAfter: 3 }, 'early end': { endAfter: 3 }, 'error event': { errorAfter: 3 } })) {
      test(`throws on a stream with ${name}, after the text before it`, async () => {
        upstream.reset(behaviour);
        let text = '';
        await assert.rejects(
          async () => {
            for await (const event of await client.messages.create(request(question(), { stream: true }))) {
              if (event.type === 'content_block_delta') text += event.delta.text;
              assert.notEqual(event.type, 'message_stop');
            }
          },
          (error) => error instanceof Anthropic.APIError,
        );
        assert.match(text, /^Answer 1/);
      });
    }

    test('an abort reaches the provider', async () => {
      upstream.reset({ chunkDelayMs: 50, text: 'word '.repeat(200) });
      const stream = await client.messages.create(request(question(), { stream: true }));
      for await (const event of stream) if (event.type === 'content_block_delta') break;
      await until(() => upstream.calls[0].abortedAt !== undefined, 'the upstream call to end');
    });
  });
}

describe('what only Anthropic has', () => {
  let upstream, gateway, client;
  before(async () => {
    ({ upstream, gateway } = await startPair());
    client = new Anthropic({ baseURL: gateway.url, apiKey: 'sk-caller', maxRetries: 0 });
  });

  test('thinking keeps its signature, from the provider and from the cache', async () => {
    upstream.reset({ reasoning: 'Let me think about that.', text: 'Yes.' });
    const asked = { model: 'claude-test', max_tokens: 5000, temperature: 0, messages: [{ role: 'user', content: question() }] };
    for (const what of ['provider', 'cache']) {
      const { content } = await client.messages.stream(asked).finalMessage();
      assert.deepEqual(content[0], { type: 'thinking', thinking: 'Let me think about that.', signature: 'c2lnbmVk' }, what);
      assert.equal(content[1].text, 'Yes.');
    }
    assert.equal(upstream.calls.length, 1);
  });

  test('its headers go upstream with the gateway’s own key', async () => {
    upstream.reset();
    await client.messages.create({ model: 'claude-test', max_tokens: 10, messages: [{ role: 'user', content: question() }] }, { headers: { 'anthropic-beta': 'x-2026' } });
    const { headers } = upstream.calls[0];
    assert.equal(headers['x-api-key'], 'sk-anthropic');
    assert.equal(headers['anthropic-version'], '2026-10-21', 'as this SDK sends it');
    assert.equal(headers['anthropic-beta'], 'x-2026');
  });
});

describe('the openai protocol in front of Anthropic', () => {
  test('system, turns, tools and limits are translated, and the answer comes back', async () => {
    const { upstream, gateway } = await startPair();
    upstream.reset({ tool });
    const { default: OpenAI } = await import('openai');
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'k', maxRetries: 0 });
    const stream = client.chat.completions.stream({
      model: 'claude-test',
      max_tokens: 300,
      messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Weather?' }],
      tools: [{ type: 'function', function: { name: 'weather', parameters: tools[0].input_schema } }],
    });
    const { choices } = await stream.finalChatCompletion();
    assert.equal(choices[0].message.tool_calls[0].function.name, 'weather');
    assert.deepEqual(JSON.parse(choices[0].message.tool_calls[0].function.arguments), { city: 'Bern' });
    assert.equal(choices[0].finish_reason, 'tool_calls');
    const { path, body } = upstream.calls[0];
    assert.equal(path, '/v1/messages');
    assert.match(JSON.stringify(body.system), /Be brief\./);
    assert.equal(body.max_tokens, 300);
    assert.equal(body.messages.length, 1);
    assert.deepEqual(body.tools[0].input_schema, tools[0].input_schema);
  });
});
