// Client of the chat endpoint: POST /api/chat answers with an AI SDK UI message stream, GET
// /api/chat/{id}/stream gives an interrupted answer again from its beginning, POST /api/chat/{id}/stop ends it.

import { type AnswerHead, parseAnswerHead } from './headers';
import { sseEvents } from './sse';

export interface TextMessage {
  readonly id: string;
  readonly role: 'user' | 'assistant';
  readonly text: string;
}

export interface ChatRequest {
  readonly chatId: string;
  readonly messages: readonly TextMessage[];
  readonly trigger: 'submit-message' | 'regenerate-message';
  readonly messageId?: string;
}

/** What the page understands of the stream. Other parts (tools, sources, files) are passed over. */
export type StreamPart =
  | { readonly type: 'text'; readonly delta: string }
  | { readonly type: 'reasoning'; readonly delta: string }
  | { readonly type: 'reset' }
  | { readonly type: 'saved'; readonly ms: number };

export interface Answer {
  readonly head: AnswerHead;
  /** Ends normally only after the stream's own end; every other end throws a ChatError. */
  readonly parts: AsyncIterable<StreamPart>;
}

/** A failure whose message may be shown as it is. */
export class ChatError extends Error {
  override readonly name = 'ChatError';
  readonly retryAfterMs: number | undefined;
  readonly requestId: string | undefined;
  /** The connection failed, not the answer: it may still be running at the gateway. */
  readonly isLost: boolean;

  constructor(
    message: string,
    detail: { retryAfterMs?: number | undefined; requestId?: string | undefined; isLost?: boolean } = {},
  ) {
    super(message);
    this.isLost = detail.isLost ?? false;
    this.retryAfterMs = detail.retryAfterMs;
    this.requestId = detail.requestId;
  }
}

export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

export class ChatClient {
  readonly #fetch: Fetch;
  readonly #api: string;

  constructor(fetch: Fetch = (input, init) => globalThis.fetch(input, init), api = '/api/chat') {
    this.#fetch = fetch;
    this.#api = api;
  }

  /** Asks. Rejects with a ChatError, or with the signal's reason once it is aborted. */
  async ask(request: ChatRequest, signal: AbortSignal): Promise<Answer> {
    const response = await this.#call(this.#api, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-conciergus-signals': 'data' },
      body: JSON.stringify({
        id: request.chatId,
        messages: request.messages.map(({ id, role, text }) => ({ id, role, parts: [{ type: 'text', text }] })),
        trigger: request.trigger,
        messageId: request.messageId,
      }),
      signal,
    });
    return answerOf(response, signal);
  }

  /** The answer that is still running for this chat, from its beginning; undefined when there is none. */
  async resume(chatId: string, signal: AbortSignal): Promise<Answer | undefined> {
    const response = await this.#call(`${this.#chat(chatId)}/stream`, {
      headers: { 'x-conciergus-signals': 'data' },
      signal,
    });
    return response.status === 204 ? undefined : answerOf(response, signal);
  }

  /** Ends the answer that is running for this chat, here and at the provider. */
  async stop(chatId: string): Promise<void> {
    await this.#call(`${this.#chat(chatId)}/stop`, { method: 'POST', keepalive: true });
  }

  #chat(chatId: string): string {
    return `${this.#api}/${encodeURIComponent(chatId)}`;
  }

  async #call(url: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await this.#fetch(url, init);
    } catch {
      init.signal?.throwIfAborted();
      throw new ChatError('The gateway cannot be reached.', { isLost: true });
    }
    if (!response.ok) throw await refusal(response);
    return response;
  }
}

async function answerOf(response: Response, signal: AbortSignal): Promise<Answer> {
  const type = response.headers.get('content-type') ?? '';
  if (!response.body || !type.startsWith('text/event-stream')) {
    await response.body?.cancel();
    throw new ChatError('The gateway answered with something that is not a chat stream.');
  }
  const head = parseAnswerHead(response.headers);
  return { head, parts: streamParts(response.body, signal, head.requestId) };
}

/** The body of a refusal is one sentence, or {"error":{"message",…}} since we announce that we read signals. */
async function refusal(response: Response): Promise<ChatError> {
  const body = (await response.text().catch(() => '')).trim();
  let message = '';
  let retryAfterMs: number | undefined;
  let requestId = response.headers.get('x-request-id') ?? undefined;
  try {
    const error = record(record(JSON.parse(body))?.['error']);
    if (typeof error?.['message'] === 'string') message = error['message'];
    if (typeof error?.['retryAfterMs'] === 'number') retryAfterMs = error['retryAfterMs'];
    if (typeof error?.['requestId'] === 'string') requestId = error['requestId'];
  } catch {
    if (!body.startsWith('<')) message = body.slice(0, 500);
  }
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  if (retryAfterMs === undefined && seconds >= 0) retryAfterMs = seconds * 1000;
  return new ChatError(message || `The gateway refused (status ${response.status}).`, { retryAfterMs, requestId });
}

async function* streamParts(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  requestId: string | undefined,
): AsyncGenerator<StreamPart, void, undefined> {
  let ended = false;
  try {
    for await (const { data } of sseEvents(body)) {
      if (data === '[DONE]') return;
      const part = record(JSON.parse(data));
      switch (part?.['type']) {
        case 'text-delta':
          yield { type: 'text', delta: String(part['delta'] ?? '') };
          break;
        case 'reasoning-delta':
          yield { type: 'reasoning', delta: String(part['delta'] ?? '') };
          break;
        case 'reset-step':
          yield { type: 'reset' };
          break;
        case 'data-conciergus': {
          const saved = record(record(part['data'])?.['saved']);
          if (typeof saved?.['ms'] === 'number') yield { type: 'saved', ms: saved['ms'] };
          break;
        }
        case 'error':
          throw new ChatError(String(part['errorText'] || 'The answer failed.'), { requestId });
        case 'abort':
        case 'finish':
          ended = true;
          break;
        default: // lifecycle and content that this page does not show
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ChatError) throw error;
    throw new ChatError('The connection was lost while the answer came in.', { requestId, isLost: true });
  }
  if (!ended) throw new ChatError('The answer was cut off before its end.', { requestId, isLost: true });
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}
