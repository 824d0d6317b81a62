// The `openai` package, 7.x, talks to the gateway.

import assert from 'node:assert/strict';
import { before, beforeEach, describe, test } from 'node:test';
import OpenAI from 'openai';
import { question, until } from './support/clients.mjs';
import { startPair } from './support/harness.mjs';

const tool = { id: 'call_1', name: 'weather', arguments: '{"city":"Zürich","days":3}' };
const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' }, days: { type: 'number' } } } } }];

describe('openai', () => {
  let upstream, gateway, client;
  before(async () => {
    ({ upstream, gateway } = await startPair());
    client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'sk-caller' });
  });
  beforeEach(() => upstream.reset());

  const create = (content, rest = {}) => client.chat.completions.create({ model: 'gpt-test', messages: [{ role: 'user', content }], ...rest });
  const collect = async (stream) => {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    return chunks;
  };
  const textOf = (chunks) => chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');

  test('gets a whole answer, with request id and usage', async () => {
    const q = question();
    const answer = await create(q);
    assert.equal(answer.choices[0].message.content, `Answer 1 to: ${q}`);
    assert.equal(answer.choices[0].finish_reason, 'stop');
    assert.equal(answer.usage.prompt_tokens, 7);
    assert.ok(answer._request_id, 'x-request-id');
  });

  test('does not send the caller’s credential upstream', async () => {
    await create(question());
    assert.equal(upstream.calls[0].headers.authorization, 'Bearer sk-openai');
  });

  test('gets a stream chunk by chunk, without a usage chunk it did not ask for', async () => {
    const q = question();
    const chunks = await collect(await create(q, { stream: true }));
    assert.equal(textOf(chunks), `Answer 1 to: ${q}`);
    assert.ok(chunks.length > 5, `${chunks.length} chunks`);
    assert.ok(chunks.every((chunk) => chunk.choices.length === 1 && chunk.usage == null));
    assert.equal(new Set(chunks.map(({ id }) => id)).size, 1);
    assert.equal(upstream.calls[0].body.stream_options?.include_usage, true, 'the gateway asks for usage itself');
  });

  test('gets the usage chunk it asked for, after comments and CRLF', async () => {
    upstream.reset({ comments: true, crlf: true });
    const chunks = await collect(await create(question(), { stream: true, stream_options: { include_usage: true } }));
    assert.deepEqual(chunks.at(-1).choices, []);
    assert.equal(chunks.at(-1).usage.prompt_tokens, 7);
  });

  for (const stream of [false, true]) {
    test(`gets a tool call${stream ? ' as a stream' : ''}`, async () => {
      upstream.reset({ tool });
      let call;
      if (stream) {
        const final = await client.chat.completions.stream({ model: 'gpt-test', messages: [{ role: 'user', content: question() }], tools }).finalChatCompletion();
        call = final.choices[0].message.tool_calls[0];
        assert.equal(final.choices[0].finish_reason, 'tool_calls');
      } else {
        call = (await create(question(), { tools })).choices[0].message.tool_calls[0];
      }
      assert.equal(call.id, 'call_1');
      assert.equal(call.function.name, 'weather');
      assert.equal(call.function.arguments, tool.arguments);
      assert.deepEqual(upstream.calls[0].body.tools, tools);
    });
  }

  test('gets the second answer from the cache, identical to the first', async () => {
    const q = question();
    const first = await collect(await create(q, { stream: true, temperature: 0 }));
    const { data, response } = await create(q, { stream: true, temperature: 0 }).withResponse();
    const second = await collect(data);
    assert.equal(upstream.calls.length, 1);
    assert.match(response.headers.get('cache-status'), /^conciergus; ?hit/);
    assert.match(response.headers.get('age'), /^\d+$/);
    assert.deepEqual(second, first);
    const whole = await create(q, { temperature: 0 });
    assert.equal(upstream.calls.length, 1, 'one record serves both forms');
    assert.equal(whole.choices[0].message.content, textOf(first));
    assert.equal(whole.id, first[0].id);
    assert.equal(whole.created, first[0].created);
  });

  test('passes unknown fields in both directions', async () => {
    await create(question(), { x_new_field: { deep: [1, 2.5, 'x'] } });
    assert.deepEqual(upstream.calls[0].body.x_new_field, { deep: [1, 2.5, 'x'] });
  });

  test('sees the provider’s refusal as the right class', async () => {
    upstream.reset({ status: 400 });
    await assert.rejects(create(question()), (error) => error instanceof OpenAI.BadRequestError && /upstream says 400/.test(error.message));
    assert.equal(upstream.calls.length, 1);
  });

  test('tries a 429 again after retry-after-ms', async () => {
    upstream.reset((_, number) => (number === 1 ? { status: 429, headers: { 'retry-after-ms': '20' } } : { text: 'Now' }));
    assert.equal((await create(question())).choices[0].message.content, 'Now');
    assert.equal(upstream.calls.length, 2);
  });

  test('does not try again what the gateway says is hopeless', async () => {
    upstream.reset({ status: 401 });
    let requests = 0;
    const counting = new OpenAI({
      baseURL: `${gateway.url}/v1`, apiKey: 'x',
      fetch: (...args) => {
        requests++;
        return fetch(...args);
      },
    });
    await assert.rejects(counting.chat.completions.create({ model: 'gpt-test', messages: [{ role: 'user', content: question() }] }), (error) => error.status === 502 && error.code === 'upstream_auth');
    assert.equal(requests, 1);
  });

  for (const [name, behaviour] of Object.entries({
    'a stream cut by the provider': { cutAfter: 3 },
    'a stream that ends early without its end': { endAfter: 3 },
    'an error in the middle of a stream': { errorAfter: 3 },
    'a malformed chunk in the middle': { malformedAfter: 3 },
  })) {
    test(`throws on ${name}, after the text before it`, async () => {
      upstream.reset(behaviour);
      const stream = await create(question(), { stream: true });
      let text = '';
      await assert.rejects(
        async () => {
          for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
        },
        (error) => error instanceof OpenAI.APIError && typeof error.code === 'string',
      );
      assert.match(text, /^Answer 1/);
    });
  }

  test('an abort reaches the provider', async () => {
    upstream.reset({ chunkDelayMs: 50, text: 'word '.repeat(200) });
    const stream = await create(question(), { stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break; // leaving the loop aborts
    const left = performance.now();
    await until(() => upstream.calls[0].abortedAt !== undefined, 'the upstream call to end');
    assert.ok(upstream.calls[0].abortedAt - left < 150, `${upstream.calls[0].abortedAt - left} ms`);
  });

  test('responses: whole, stream and tool call', async () => {
    const q = question();
    const whole = await client.responses.create({ model: 'gpt-test', input: q });
    assert.equal(whole.output_text, `Answer 1 to: ${q}`);
    const types = [];
    let text = '';
    for await (const event of await client.responses.create({ model: 'gpt-test', input: question(), stream: true })) {
      types.push(event.type);
      if (event.type === 'response.output_text.delta') text += event.delta;
    }
    assert.equal(types[0], 'response.created');
    assert.equal(types.at(-1), 'response.completed');
    assert.match(text, /^Answer 2 to: /);
    upstream.reset({ tool });
    const called = await client.responses.create({ model: 'gpt-test', input: question() });
    assert.equal(called.output[0].arguments, tool.arguments);
  });

  test('embeddings and models', async () => {
    const embeddings = await client.embeddings.create({ model: 'embed-test', input: ['a', 'b'], encoding_format: 'float' });
    assert.deepEqual(embeddings.data.map(({ embedding }) => embedding), [[0.25, -0.5, 1], [0.25, -0.5, 1]]);
    const models = await client.models.list();
    assert.ok(models.data.some(({ id }) => id === 'gpt-test'));
  });
});
