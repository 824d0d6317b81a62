// What a provider sends, in the three upstream protocols, cut into the phases a fault can fall between:
// `lifecycle` (nothing visible yet), `content`, `finish` (reason and usage), `done` (the terminal event).

/**
 * @typedef {object} Reply
 * @property {string} text
 * @property {string} [reasoning]
 * @property {{id: string, name: string, arguments: string}} [tool]
 * @property {string} [finish]    chat completions' word for the finish reason; default stop or tool_calls
 * @property {string} [id]
 * @property {string} model
 * @property {boolean} [usage]    send the usage chunk of chat completions
 *
 * @typedef {object} Script
 * @property {string[]} lifecycle
 * @property {string[]} content
 * @property {string[]} finish
 * @property {string[]} done
 * @property {object} whole       the answer without streaming
 * @property {(message: string, type: string) => string} error   an error event inside the stream
 * @property {(message: string, type: string) => object} errorBody
 */

const data = (object) => `data: ${JSON.stringify(object)}\n\n`;
const named = (object) => `event: ${object.type}\n${data(object)}`;

/** Pieces of about one word, with their white space, as tokens come. */
export const pieces = (text) => text.match(/\s*\S+\s*/g) ?? (text === '' ? [] : [text]);
const halves = (text) => [text.slice(0, text.length >> 1), text.slice(text.length >> 1)];

/** @param {Reply} reply @returns {Script} */
export function chatCompletions(reply) {
  const common = { id: reply.id ?? 'chatcmpl-1', created: 1763800000, model: reply.model };
  const finishReason = reply.finish ?? (reply.tool ? 'tool_calls' : 'stop');
  const usage = {
    prompt_tokens: 7,
    completion_tokens: pieces(reply.text).length,
    total_tokens: 7 + pieces(reply.text).length,
    prompt_tokens_details: { cached_tokens: 0 },
  };
  const chunk = (delta, finish_reason = null) =>
    data({ ...common, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] });
  const toolCall = reply.tool && {
    id: reply.tool.id,
    type: 'function',
    function: { name: reply.tool.name, arguments: reply.tool.arguments },
  };
  return {
    lifecycle: [chunk({ role: 'assistant', content: '' })],
    content: [
      ...pieces(reply.reasoning ?? '').map((reasoning_content) => chunk({ reasoning_content })),
      ...pieces(reply.text).map((content) => chunk({ content })),
      ...(toolCall
        ? [
            chunk({ tool_calls: [{ index: 0, ...toolCall, function: { ...toolCall.function, arguments: '' } }] }),
            ...halves(reply.tool.arguments).map((part) => chunk({ tool_calls: [{ index: 0, function: { arguments: part } }] })),
          ]
        : []),
    ],
    finish: [
      chunk({}, finishReason),
      ...(reply.usage ? [data({ ...common, object: 'chat.completion.chunk', choices: [], usage })] : []),
    ],
    done: ['data: [DONE]\n\n'],
    whole: {
      ...common,
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: reply.tool && reply.text === '' ? null : reply.text,
            ...(reply.reasoning ? { reasoning_content: reply.reasoning } : {}),
            ...(toolCall ? { tool_calls: [toolCall] } : {}),
          },
          finish_reason: finishReason,
        },
      ],
      usage,
    },
    error: (message, type) => data({ error: { message, type, param: null, code: null } }),
    errorBody: (message, type) => ({ error: { message, type, param: null, code: null } }),
  };
}

const stopReasons = { stop: 'end_turn', length: 'max_tokens', tool_calls: 'tool_use', content_filter: 'refusal' };

/** @param {Reply} reply @returns {Script} */
export function messages(reply) {
  const stop_reason = stopReasons[reply.finish ?? (reply.tool ? 'tool_calls' : 'stop')];
  const usage = { input_tokens: 7, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: pieces(reply.text).length };
  const message = { id: reply.id ?? 'msg_1', type: 'message', role: 'assistant', model: reply.model };
  const content = [];
  const blocks = [];
  const block = (content_block, deltas, filled) => {
    const index = blocks.length;
    blocks.push(filled);
    content.push(named({ type: 'content_block_start', index, content_block }));
    for (const delta of deltas) content.push(named({ type: 'content_block_delta', index, delta }));
    content.push(named({ type: 'content_block_stop', index }));
  };
  if (reply.reasoning) {
    const signature = 'c2lnbmVk';
    block(
      { type: 'thinking', thinking: '', signature: '' },
      [...pieces(reply.reasoning).map((thinking) => ({ type: 'thinking_delta', thinking })), { type: 'signature_delta', signature }],
      { type: 'thinking', thinking: reply.reasoning, signature },
    );
  }
  if (reply.text) {
    block(
      { type: 'text', text: '' },
      pieces(reply.text).map((text) => ({ type: 'text_delta', text })),
      { type: 'text', text: reply.text },
    );
  }
  if (reply.tool) {
    const { id, name } = reply.tool;
    block(
      { type: 'tool_use', id, name, input: {} },
      halves(reply.tool.arguments).map((partial_json) => ({ type: 'input_json_delta', partial_json })),
      { type: 'tool_use', id, name, input: JSON.parse(reply.tool.arguments) },
    );
  }
  // The opening of the first block shows nothing yet, and the closing of the last is part of the end.
  const opening = content.splice(0, 1);
  const closing = content.splice(-1, 1);
  return {
    lifecycle: [
      named({ type: 'message_start', message: { ...message, content: [], stop_reason: null, stop_sequence: null, usage: { ...usage, output_tokens: 1 } } }),
      ...opening,
      named({ type: 'ping' }),
    ],
    content,
    finish: [
      ...closing,
      named({ type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: usage.output_tokens } }),
    ],
    done: [named({ type: 'message_stop' })],
    whole: { ...message, content: blocks, stop_reason, stop_sequence: null, usage },
    error: (text, type) => named({ type: 'error', error: { type, message: text } }),
    errorBody: (text, type) => ({ type: 'error', error: { type, message: text } }),
  };
}

/** @param {Reply} reply @returns {Script} */
export function responses(reply) {
  const usage = {
    input_tokens: 7,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: pieces(reply.text).length,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 7 + pieces(reply.text).length,
  };
  const incomplete = reply.finish === 'length';
  const response = {
    id: reply.id ?? 'resp_1', object: 'response', created_at: 1763800000, status: 'in_progress', model: reply.model,
    output: [], error: null, incomplete_details: null, instructions: null, metadata: {}, parallel_tool_calls: true,
    temperature: 1, tool_choice: 'auto', tools: [], top_p: 1,
  };
  let sequence_number = 0;
  const event = (type, fields) => named({ type, sequence_number: sequence_number++, ...fields });
  const status = 'completed';
  const item = reply.tool
    ? { id: 'fc_1', type: 'function_call', status, call_id: reply.tool.id, name: reply.tool.name, arguments: reply.tool.arguments }
    : { id: 'msg_1', type: 'message', role: 'assistant', status, content: [{ type: 'output_text', text: reply.text, annotations: [], logprobs: [] }] };
  const started = { ...item, status: 'in_progress', ...(reply.tool ? { arguments: '' } : { content: [] }) };
  const at = { item_id: item.id, output_index: 0 };
  const lifecycle = [
    event('response.created', { response }),
    event('response.in_progress', { response }),
    event('response.output_item.added', { output_index: 0, item: started }),
  ];
  let content;
  let finish;
  if (reply.tool) {
    content = halves(reply.tool.arguments).map((delta) => event('response.function_call_arguments.delta', { ...at, delta }));
    finish = [event('response.function_call_arguments.done', { ...at, arguments: reply.tool.arguments, name: reply.tool.name })];
  } else {
    const part = { type: 'output_text', text: '', annotations: [], logprobs: [] };
    lifecycle.push(event('response.content_part.added', { ...at, content_index: 0, part }));
    content = pieces(reply.text).map((delta) => event('response.output_text.delta', { ...at, content_index: 0, delta, logprobs: [] }));
    finish = [
      event('response.output_text.done', { ...at, content_index: 0, text: reply.text, logprobs: [] }),
      event('response.content_part.done', { ...at, content_index: 0, part: item.content[0] }),
    ];
  }
  finish.push(event('response.output_item.done', { output_index: 0, item }));
  const whole = {
    ...response,
    status: incomplete ? 'incomplete' : 'completed',
    incomplete_details: incomplete ? { reason: 'max_output_tokens' } : null,
    output: [item],
    usage,
  };
  return {
    lifecycle,
    content,
    finish,
    done: [event(incomplete ? 'response.incomplete' : 'response.completed', { response: whole })],
    whole,
    error: (message, code) => named({ type: 'error', sequence_number: sequence_number++, code, message, param: null }),
    errorBody: (message, type) => ({ error: { message, type, param: null, code: null } }),
  };
}
