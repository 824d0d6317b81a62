// Server-sent events, parsed incrementally (WHATWG HTML, section 9.2.6). The text may be cut anywhere,
// also between the two characters of a line end.

export interface SseEvent {
  /** The `event:` field; `message` when the server gave none. */
  readonly name: string;
  readonly data: string;
}

const maxBufferedChars = 4 * 1024 * 1024;

export class SseParser {
  #buffer = '';
  /** How much of the buffer is known to hold no line end. */
  #scanned = 0;
  #data: string[] = [];
  #name = '';
  #started = false;

  /** Takes the next piece of text and returns the events that it completes. Throws when one line grows without bound. */
  push(text: string): SseEvent[] {
    this.#buffer += text;
    if (!this.#started && this.#buffer.length > 0) {
      this.#started = true;
      if (this.#buffer.startsWith('\uFEFF')) this.#buffer = this.#buffer.slice(1);
    }

    const events: SseEvent[] = [];
    let from = 0;
    for (;;) {
      const end = this.#lineEnd(Math.max(from, this.#scanned));
      if (end === undefined) break;
      const event = this.#line(this.#buffer.slice(from, end.at));
      if (event) events.push(event);
      from = end.next;
      this.#scanned = 0;
    }
    this.#buffer = this.#buffer.slice(from);
    this.#scanned = this.#buffer.length - (this.#buffer.endsWith('\r') ? 1 : 0);
    if (this.#buffer.length > maxBufferedChars) throw new Error('event stream: line too long');
    return events;
  }

  /** The next line end at or after `from`. A CR at the very end of the buffer waits for its LF. */
  #lineEnd(from: number): { at: number; next: number } | undefined {
    for (let i = from; i < this.#buffer.length; i++) {
      const c = this.#buffer.charCodeAt(i);
      if (c === 10) return { at: i, next: i + 1 };
      if (c === 13) {
        if (i + 1 === this.#buffer.length) return undefined;
        return { at: i, next: this.#buffer.charCodeAt(i + 1) === 10 ? i + 2 : i + 1 };
      }
    }
    return undefined;
  }

  #line(line: string): SseEvent | undefined {
    if (line === '') {
      const event = this.#data.length > 0 ? { name: this.#name || 'message', data: this.#data.join('\n') } : undefined;
      this.#data = [];
      this.#name = '';
      return event;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return undefined; // a comment: heartbeats
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? '' : line.slice(colon + 1);
    if (value.startsWith(' ')) value = value.slice(1);
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#name = value;
    return undefined;
  }
}

/** The events of a response body. Whoever stops iterating also cancels the body. */
export async function* sseEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<SseEvent, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new SseParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
