// Helpers of the tests beside this file: streams cut where a test wants them, and a scripted fetch.

export interface Call {
  readonly url: string;
  readonly init: RequestInit;
}

/** A body that delivers the pieces one by one; with `cut`, it then fails as a lost connection does. */
export function bodyOf(pieces: readonly (string | Uint8Array)[], cut = false): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      const piece = pieces[next++];
      if (piece !== undefined) controller.enqueue(typeof piece === 'string' ? encoder.encode(piece) : piece);
      else if (cut) controller.error(new TypeError('network error'));
      else controller.close();
    },
  });
}

export function events(...parts: readonly (object | string)[]): string {
  return parts.map((part) => `data: ${typeof part === 'string' ? part : JSON.stringify(part)}\n\n`).join('');
}

export function answer(text: string): string {
  return events(
    { type: 'start' },
    { type: 'text-start', id: 't' },
    ...text.split(/(?<= )/).map((delta) => ({ type: 'text-delta', id: 't', delta })),
    { type: 'text-end', id: 't' },
    { type: 'finish' },
    '[DONE]',
  );
}

export function streamResponse(
  pieces: readonly (string | Uint8Array)[],
  headers: Record<string, string> = {},
  cut = false,
): Response {
  return new Response(bodyOf(pieces, cut), { headers: { 'content-type': 'text/event-stream', ...headers } });
}

/** Answers each call with the next of `responses`, and remembers the calls. An aborted call rejects as fetch does. */
export function scriptedFetch(...responses: (Response | Error | ((call: Call) => Promise<Response> | Response))[]) {
  const calls: Call[] = [];
  const fetch = async (url: string, init: RequestInit = {}): Promise<Response> => {
    calls.push({ url, init });
    init.signal?.throwIfAborted();
    const response = responses.shift();
    if (response === undefined) throw new Error(`unexpected call: ${url}`);
    if (response instanceof Error) throw response;
    return typeof response === 'function' ? response({ url, init }) : response;
  };
  return { fetch, calls };
}
