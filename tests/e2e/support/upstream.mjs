// A provider that does what a test tells it, good or bad, and remembers what it was asked.

import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { chatCompletions, messages, responses } from './protocols.mjs';

/**
 * How one call is answered. Without any field: a good answer at once.
 *
 * @typedef {object} Behaviour
 * @property {string} [text]          default `Answer <call number> to: <last question>`
 * @property {string} [reasoning]
 * @property {{id: string, name: string, arguments: string}} [tool]
 * @property {string} [finish]        finish reason, as chat completions names it
 * @property {number} [headDelayMs]   before the response head
 * @property {number} [firstDelayMs]  between lifecycle events and the first content
 * @property {number} [chunkDelayMs]  between content events
 *
 * Faults, at most one of them:
 * @property {number} [status]        answer with this status
 * @property {Record<string, string>} [headers]  sent with every kind of answer
 * @property {string} [body]          with status: this body instead of the protocol's error object
 * @property {true} [reset]           close the connection instead of answering
 * @property {true} [silent]          never answer
 * @property {true} [headOnly]        response head, then nothing
 * @property {true} [pingsOnly]       response head, then comments for ever
 * @property {true} [errorFirst]      a 200 whose first event (or whole body) is an error
 * @property {true} [lifecycleThenError]
 * @property {true} [html]            200 with a page
 * @property {true} [wholeForStream]  200 with a whole answer where a stream was asked
 * @property {true} [streamForWhole]  the reverse
 * @property {true} [notJson]
 * @property {true} [empty]           no choices, no content
 * @property {true} [malformedFirst]
 * @property {true} [hugeHead]
 * @property {string} [redirect]
 * @property {number} [cutAfter]      reset the connection after n content events (or inside a whole body)
 * @property {number} [endAfter]      end cleanly after n content events
 * @property {number} [stallAfter]
 * @property {number} [malformedAfter]
 * @property {number} [errorAfter]    an error event after n content events
 * @property {true} [withoutDone]     finish reason, but no terminal event
 * @property {true} [withoutFinish]   terminal event, but no finish reason
 * @property {true} [afterDone]       more data after the terminal event
 *
 * Spellings that must be tolerated:
 * @property {true} [crlf]
 * @property {true} [comments]
 * @property {true} [withoutRole]     content with no lifecycle event before it
 */

/**
 * @typedef {object} Call
 * @property {string} method
 * @property {string} path
 * @property {http.IncomingHttpHeaders} headers
 * @property {any} body
 * @property {number} at              performance.now()
 * @property {number} [abortedAt]     when the gateway closed the connection before the answer was whole
 * @property {boolean} finished
 */

export class Upstream {
  /** @type {Call[]} */
  calls = [];
  /** @type {Behaviour | ((call: Call, number: number) => Behaviour)} */
  behaviour = {};
  #server;
  #open = new AbortController();

  /** @param {Behaviour | ((call: Call, number: number) => Behaviour)} [behaviour] */
  static async start(behaviour = {}) {
    const upstream = new Upstream();
    upstream.behaviour = behaviour;
    upstream.#server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      upstream.#serve(request, response).catch((error) => {
        if (!response.destroyed) response.destroy(error);
      });
    });
    await new Promise((resolve) => upstream.#server.listen(0, '127.0.0.1', 4096, resolve));
    return upstream;
  }

  get origin() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  get url() {
    return `${this.origin}/v1`;
  }

  /** Forgets the calls and sets what comes next. @param {Upstream['behaviour']} [behaviour] */
  reset(behaviour = {}) {
    this.calls = [];
    this.behaviour = behaviour;
  }

  /** Closes the kept-alive connections, as a provider does after a restart. */
  dropIdleConnections() {
    this.#server.closeIdleConnections();
  }

  async stop() {
    this.#open.abort();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    const text = Buffer.concat(parts).toString();
    const call = {
      method: request.method, path: request.url, headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text), at: performance.now(), finished: false,
    };
    this.calls.push(call);
    const gone = new AbortController();
    response.on('close', () => {
      if (!response.writableFinished && !response.planned) call.abortedAt = performance.now();
      else call.finished = true;
      gone.abort();
    });

    const number = this.calls.length;
    const behaviour = typeof this.behaviour === 'function' ? this.behaviour(call, number) : this.behaviour;
    const { pathname } = new URL(request.url, this.origin);
    if (pathname.endsWith('/models')) return json(response, 200, { object: 'list', data: [{ id: 'gpt-test', object: 'model', created: 1, owned_by: 'mock' }] });
    if (pathname.endsWith('/embeddings')) return this.#embeddings(call, behaviour, response);
    const protocol = { '/chat/completions': chatCompletions, '/messages': messages, '/responses': responses }[pathname.replace(/^\/v1/, '')];
    if (!protocol) return json(response, 404, { error: { message: `no such path: ${pathname}`, type: 'invalid_request_error' } });

    const script = protocol({
      text: behaviour.tool ? '' : `Answer ${number} to: ${lastQuestion(call.body)}`,
      model: call.body.model, id: `reply-${number}`, usage: call.body.stream_options?.include_usage, ...behaviour,
    });
    const wait = (ms) => sleep(ms, undefined, { signal: AbortSignal.any([gone.signal, this.#open.signal]) }).catch(() => undefined);
    await answer(response, call.body.stream === true, script, behaviour, wait, gone.signal);
  }

  #embeddings(call, behaviour, response) {
    if (behaviour.status) return json(response, behaviour.status, { error: { message: 'no', type: 'server_error' } }, behaviour.headers);
    const input = Array.isArray(call.body.input) ? call.body.input : [call.body.input];
    json(response, 200, {
      object: 'list', model: call.body.model, usage: { prompt_tokens: 3, total_tokens: 3 },
      data: input.map((_, index) => ({ object: 'embedding', index, embedding: [0.25, -0.5, 1] })),
    });
  }
}

/** @param {import('./protocols.mjs').Script} script @param {Behaviour} b */
async function answer(response, stream, script, b, wait, gone) {
  const destroy = () => {
    response.planned = true;
    response.socket?.destroy();
  };
  if (b.reset) return destroy();
  if (b.silent) return wait(3_600_000);
  if (b.headDelayMs) await wait(b.headDelayMs);
  if (gone.aborted) return;
  if (b.redirect) return void response.writeHead(307, { location: b.redirect }).end();
  if (b.hugeHead) return json(response, 200, script.whole, { 'x-filler': 'x'.repeat(12_000), ...Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`x-filler-${i}`, 'y'.repeat(30)])) });
  if (b.status && b.status !== 200) {
    if (b.body !== undefined) return void response.writeHead(b.status, { 'content-type': 'text/html', ...b.headers }).end(b.body);
    return json(response, b.status, script.errorBody(`upstream says ${b.status}`, errorType(b.status)), b.headers);
  }
  if (b.html) return void response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>Welcome to the hotel Wi-Fi</body></html>');
  if (b.streamForWhole) stream = true;

  if (!stream || b.wholeForStream) {
    if (b.firstDelayMs) await wait(b.firstDelayMs);
    if (b.headOnly || b.pingsOnly || b.stallAfter !== undefined) {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      return wait(3_600_000);
    }
    if (b.errorFirst || b.lifecycleThenError || b.errorAfter !== undefined) return json(response, 200, script.errorBody('upstream error inside a 200', 'server_error'));
    if (b.notJson || b.malformedFirst || b.malformedAfter !== undefined) return void response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":');
    if (b.empty) return json(response, 200, { ...script.whole, ...('choices' in script.whole ? { choices: [] } : 'content' in script.whole ? { content: [] } : { output: [] }) });
    const body = JSON.stringify(script.whole);
    if (b.cutAfter !== undefined || b.endAfter !== undefined) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
      response.write(body.slice(0, body.length >> 1), destroy);
      return;
    }
    return json(response, 200, script.whole, b.headers);
  }

  response.writeHead(200, { 'content-type': 'text/event-stream', ...b.headers });
  response.flushHeaders();
  const send = (event) => response.write(b.crlf ? event.replaceAll('\n', '\r\n') : event);
  if (b.headOnly) return wait(3_600_000);
  if (b.comments) send(': hello\n\n');
  if (b.pingsOnly) {
    while (!gone.aborted) {
      send(': ping\n\n');
      await wait(50);
    }
    return;
  }
  if (b.errorFirst) {
    send(script.error('upstream error inside a 200', 'server_error'));
    return void response.end();
  }
  if (b.malformedFirst) {
    send('data: {"id": "x", "choices": [{\n\n');
    return void response.end();
  }
  if (!b.withoutRole) script.lifecycle.forEach(send);
  if (b.lifecycleThenError) {
    send(script.error('upstream quota used up', 'rate_limit_error'));
    return void response.end();
  }
  if (b.firstDelayMs) await wait(b.firstDelayMs);

  const content = b.empty ? [] : script.content;
  for (let n = 0; n <= content.length; n++) {
    if (gone.aborted) return;
    if (n === b.cutAfter) {
      await wait(20); // what was written so far is on its way
      return destroy();
    }
    if (n === b.endAfter) return void response.end();
    if (n === b.stallAfter) return wait(3_600_000);
    if (n === b.malformedAfter) send('data: {"broken": \n\n');
    if (n === b.errorAfter) {
      send(script.error('upstream failed in the middle', 'server_error'));
      return void response.end();
    }
    if (n === content.length) break;
    send(content[n]);
    if (b.comments) send(': ping\n\n');
    if (b.chunkDelayMs) await wait(b.chunkDelayMs);
  }
  if (gone.aborted) return;
  if (!b.withoutFinish) script.finish.forEach(send);
  if (!b.withoutDone) script.done.forEach(send);
  if (b.afterDone) send(script.content[0]);
  response.end();
}

function json(response, status, object, headers = {}) {
  const body = JSON.stringify(object);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers }).end(body);
}

function errorType(status) {
  return { 400: 'invalid_request_error', 401: 'authentication_error', 403: 'permission_error', 404: 'not_found_error', 429: 'rate_limit_error', 529: 'overloaded_error' }[status] ?? 'server_error';
}

function lastQuestion(body) {
  const turns = body.messages ?? (Array.isArray(body.input) ? body.input : [{ content: body.input }]);
  const content = turns.at(-1)?.content;
  return typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? '').join('');
}
