// Plain clients of the four protocols, and one word for how an answer ended, so that one test can be
// told for all of them.

/**
 * @typedef {object} Outcome
 * @property {number} status
 * @property {Headers} headers
 * @property {string} text                     the visible answer
 * @property {string} raw                      the body as it came
 * @property {'complete' | 'error' | 'cut'} end   cut: neither a terminal event nor an error
 * @property {{message: string, type?: string, code?: string} | undefined} error
 * @property {object[]} events                 parsed data of each event of a stream
 * @property {number} firstMs                  from the request to the first byte of content
 * @property {number} endMs
 */

/** Splits a stream into {event, id, data}. @param {string} raw */
export function parseSse(raw) {
  return raw
    .replaceAll('\r\n', '\n')
    .split('\n\n')
    .map((block) => {
      const fields = { data: [] };
      for (const line of block.split('\n')) {
        const match = /^(event|data|id): ?(.*)$/.exec(line);
        if (match?.[1] === 'data') fields.data.push(match[2]);
        else if (match) fields[match[1]] = match[2];
      }
      return { event: fields.event, id: fields.id, data: fields.data.join('\n') };
    })
    .filter(({ data }) => data !== '');
}

const anyJson = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

export const chat = {
  name: 'chat completions',
  path: '/v1/chat/completions',
  streams: [true, false],
  body: ({ question, stream = false, model = 'gpt-test', ...rest }) => ({ model, messages: [{ role: 'user', content: question }], ...(stream ? { stream } : {}), ...rest }),
  whole: (body) => ({ text: body.choices?.[0]?.message?.content ?? '', complete: body.choices?.[0]?.finish_reason != null }),
  text: (event) => event.choices?.[0]?.delta?.content ?? '',
  error: (event) => event.error,
  terminal: (events, raw) => raw.includes('data: [DONE]') && events.some((event) => event.choices?.[0]?.finish_reason),
};

export const anthropic = {
  name: 'messages',
  path: '/v1/messages',
  streams: [true, false],
  headers: { 'anthropic-version': '2023-06-01' },
  body: ({ question, stream = false, model = 'claude-test', ...rest }) => ({ model, max_tokens: 1000, messages: [{ role: 'user', content: question }], ...(stream ? { stream } : {}), ...rest }),
  whole: (body) => ({ text: (body.content ?? []).map((block) => block.text ?? '').join(''), complete: body.stop_reason != null }),
  text: (event) => (event.type === 'content_block_delta' ? (event.delta.text ?? '') : ''),
  error: (event) => (event.type === 'error' ? event.error : undefined),
  terminal: (events) => events.some(({ type }) => type === 'message_stop') && events.some((event) => event.delta?.stop_reason),
};

export const responses = {
  name: 'responses',
  path: '/v1/responses',
  streams: [true, false],
  body: ({ question, stream = false, model = 'gpt-test', ...rest }) => ({ model, input: question, ...(stream ? { stream } : {}), ...rest }),
  whole: (body) => ({
    text: (body.output ?? []).flatMap((item) => item.content ?? []).map((part) => part.text ?? '').join(''),
    complete: body.status === 'completed' || body.status === 'incomplete',
  }),
  text: (event) => (event.type === 'response.output_text.delta' ? event.delta : ''),
  error: (event) => (event.type === 'error' ? (event.error ?? event) : event.type === 'response.failed' ? event.response.error : undefined),
  terminal: (events) => events.some(({ type }) => type === 'response.completed' || type === 'response.incomplete'),
};

export const ui = {
  name: 'UI message stream',
  path: '/api/chat',
  streams: [true],
  body: ({ question, id = 'chat-1', trigger = 'submit-message', stream: _, model: __, ...rest }) => ({
    id, trigger, messages: [{ id: 'u1', role: 'user', parts: [{ type: 'text', text: question }] }], ...rest,
  }),
  whole: () => ({ text: '', complete: false }),
  text: (event) => (event.type === 'text-delta' ? event.delta : ''),
  error: (event) => (event.type === 'error' ? { message: event.errorText } : undefined),
  terminal: (events, raw) => events.some(({ type }) => type === 'finish') && raw.includes('data: [DONE]'),
};

export const protocols = [chat, anthropic, responses, ui];

/** Every protocol, streaming and not: what the fault matrix runs on. */
export const shapes = protocols.flatMap((protocol) => protocol.streams.map((stream) => ({ protocol, stream, label: `${protocol.name}${stream ? ', streaming' : ', whole'}` })));

/**
 * @param {string} base
 * @param {typeof chat} protocol
 * @param {object} body
 * @param {{headers?: Record<string, string>, signal?: AbortSignal, onText?: (text: string) => void}} [options]
 * @returns {Promise<Outcome>}
 */
export async function ask(base, protocol, body, { headers = {}, signal, onText } = {}) {
  const started = performance.now();
  const response = await fetch(`${base}${protocol.path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...protocol.headers, ...headers },
    body: JSON.stringify(body),
    signal,
  });
  return read(response, protocol, started, onText);
}

/** @param {Response} response @param {typeof chat} protocol @returns {Promise<Outcome>} */
export async function read(response, protocol, started = performance.now(), onText = undefined) {
  let raw = '';
  let firstMs = 0;
  let broken = false;
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) {
      raw += decoder.decode(chunk, { stream: true });
      const parsed = onText || !firstMs ? textOf(protocol, raw) : '';
      if (!firstMs && parsed) firstMs = performance.now() - started;
      onText?.(parsed);
    }
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    broken = true;
  }
  const base = { status: response.status, headers: response.headers, raw, firstMs, endMs: performance.now() - started };
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    const body = anyJson(raw);
    const error = response.ok ? undefined : (body?.error ?? { message: raw });
    const { text, complete } = body ? protocol.whole(body) : { text: '', complete: false };
    return { ...base, text, events: [], error, end: error ? 'error' : complete && !broken ? 'complete' : 'cut' };
  }
  const events = parseSse(raw).map(({ data }) => anyJson(data)).filter(Boolean);
  const error = events.map(protocol.error).find(Boolean);
  const complete = !broken && protocol.terminal(events, raw);
  return { ...base, text: events.map(protocol.text).join(''), events, error, end: error ? 'error' : complete ? 'complete' : 'cut' };
}

function textOf(protocol, raw) {
  return parseSse(raw).map(({ data }) => anyJson(data)).filter(Boolean).map(protocol.text).join('');
}

/** The parameters of our member of a Cache-Status header. @param {Headers} headers */
export function cacheStatus(headers) {
  const member = (headers.get('cache-status') ?? '').split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/).find((m) => m.trim().toLowerCase().startsWith('conciergus'));
  const parameters = {};
  for (const parameter of (member ?? '').split(';').slice(1)) {
    const [name, value = 'true'] = parameter.trim().split('=');
    parameters[name] = value.replace(/^"|"$/g, '');
  }
  return parameters;
}

/** Waits until `condition` holds. */
export async function until(condition, what = 'the condition', ms = 5_000) {
  const deadline = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

let unique = 0;
/** A question that nobody asked before. */
export const question = (about = 'the weather') => `What about ${about}, number ${process.pid}-${++unique}?`;
