import { describe, expect, test } from 'vitest';
import { type SseEvent, SseParser, sseEvents } from './sse';
import { bodyOf } from './testing';

const stream = '\uFEFF: hello\n\nevent: note\ndata: one\r\ndata:two\r\n\r\nid: 7\rdata: ünï ✓ 🎉\r\rdata\n\ndata: last\n\n';
const expected: SseEvent[] = [
  { name: 'note', data: 'one\ntwo' },
  { name: 'message', data: 'ünï ✓ 🎉' },
  { name: 'message', data: '' },
  { name: 'message', data: 'last' },
];

async function collect(body: ReadableStream<Uint8Array>): Promise<SseEvent[]> {
  const events: SseEvent[] = [];
  for await (const event of sseEvents(body)) events.push(event);
  return events;
}

describe('SseParser', () => {
  test('reads comments, all line ends, names, several data lines and empty data', () => {
    expect(new SseParser().push(stream)).toEqual(expected);
  });

  test('gives the same events wherever the bytes are cut', async () => {
    const bytes = new TextEncoder().encode(stream);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(await collect(bodyOf([bytes.slice(0, cut), bytes.slice(cut)]))).toEqual(expected);
    }
  });

  test('gives the same events byte by byte', async () => {
    const bytes = new TextEncoder().encode(stream);
    expect(await collect(bodyOf([...bytes].map((byte) => Uint8Array.of(byte))))).toEqual(expected);
  });

  test('drops an event that the stream does not finish', () => {
    expect(new SseParser().push('data: whole\n\ndata: half\n')).toEqual([{ name: 'message', data: 'whole' }]);
  });

  test('refuses a line without end', () => {
    const parser = new SseParser();
    expect(() => {
      for (let i = 0; i < 10; i++) parser.push('x'.repeat(1024 * 1024));
    }).toThrow(/too long/);
  });

  test('cancels the body when the reader stops early', async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('data: x\n\n')),
      cancel: () => {
        cancelled = true;
      },
    });
    for await (const event of sseEvents(body)) {
      expect(event.data).toBe('x');
      break;
    }
    expect(cancelled).toBe(true);
  });
});
