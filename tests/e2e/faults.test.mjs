// The fault matrix: what a client sees of each thing a provider can do wrong, on all four protocols,
// streaming and not, with one upstream and with a second one to fall back to.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { ask, cacheStatus, question, responses, shapes, ui } from './support/clients.mjs';
import { bothKinds, configOf } from './support/config.mjs';
import { startGateway, startUpstream } from './support/harness.mjs';

const timeouts = { connect: '500ms', headers: '500ms', first_content: '800ms', stall: '500ms', total: '4s' };

/** Nothing has reached the client yet: it gets a true status, or the second upstream's answer. */
const beforeCommit = [
  { fault: 'connection reset', does: { reset: true }, status: 502 },
  { fault: 'status 500', does: { status: 500 }, status: 502, code: 'upstream_error' },
  { fault: 'status 502 with a page', does: { status: 502, body: '<html>bad</html>' }, status: 502, code: 'upstream_error' },
  { fault: 'status 503', does: { status: 503 }, status: 503, code: 'upstream_error' },
  { fault: 'status 504', does: { status: 504 }, status: 502, code: 'upstream_error' },
  { fault: 'status 529', does: { status: 529 }, status: 503, code: 'upstream_error' },
  { fault: 'status 408', does: { status: 408 }, status: 504 },
  { fault: 'status 400', does: { status: 400 }, status: 400, passed: true },
  { fault: 'status 404', does: { status: 404 }, status: 404, passed: true },
  { fault: 'status 413', does: { status: 413 }, status: 413, passed: true },
  { fault: 'status 422', does: { status: 422 }, status: 422, passed: true },
  { fault: 'status 401 to the gateway’s key', does: { status: 401 }, status: 502, code: 'upstream_auth' },
  { fault: 'status 402', does: { status: 402 }, status: 502, code: 'upstream_auth' },
  { fault: 'status 403', does: { status: 403 }, status: 502, code: 'upstream_auth' },
  { fault: 'status 429 with Retry-After', does: { status: 429, headers: { 'retry-after': '120' } }, status: 429, retryAfter: [100, 120] },
  { fault: 'status 429 without', does: { status: 429 }, status: 429 },
  { fault: 'silence', does: { silent: true }, status: 504, code: 'upstream_timeout', within: [450, 900] },
  { fault: 'head, then nothing', does: { headOnly: true }, status: 504, code: 'upstream_timeout', within: [700, 1200] },
  { fault: 'pings only', does: { pingsOnly: true }, status: 504, code: 'upstream_timeout', within: [700, 1200], streams: true },
  { fault: 'an error as the first event of a 200', does: { errorFirst: true }, status: 502 },
  { fault: 'lifecycle events, then a quota error', does: { lifecycleThenError: true }, status: 429, streams: true },
  { fault: 'a page with status 200', does: { html: true }, status: 502 },
  { fault: 'a body that is not JSON', does: { notJson: true }, status: 502, streams: false },
  { fault: 'an empty answer', does: { empty: true }, status: 502, streams: false },
  { fault: 'a body cut by its Content-Length', does: { cutAfter: 0 }, status: 502, code: 'upstream_truncated', streams: false },
  { fault: 'a cut before any content', does: { cutAfter: 0 }, status: 502, streams: true },
  { fault: 'an end before any content', does: { endAfter: 0 }, status: 502, streams: true },
  { fault: 'a malformed first chunk', does: { malformedFirst: true }, status: 502, streams: true },
  { fault: 'a head over the limits', does: { hugeHead: true }, status: 502 },
  { fault: 'a redirect', does: { redirect: 'http://127.0.0.1:9/v1/elsewhere' }, status: 502 },
];

/** The client has the first words: it gets them, and an honest end. */
const afterCommit = [
  { fault: 'a cut', does: { cutAfter: 3 }, end: 'error', code: 'upstream_truncated' },
  { fault: 'a clean early end', does: { endAfter: 3 }, end: 'error', code: 'upstream_truncated' },
  { fault: 'a stall', does: { stallAfter: 3 }, end: 'error', within: [450, 1000] },
  { fault: 'a malformed chunk', does: { malformedAfter: 3 }, end: 'error' },
  { fault: 'an error event', does: { errorAfter: 3 }, end: 'error' },
  { fault: 'a drip past the total deadline', does: { chunkDelayMs: 300, text: 'drip '.repeat(40) }, end: 'error', code: 'timeout', within: [3_900, 5_000] },
  { fault: 'a finish reason without the terminal event', does: { withoutDone: true }, end: 'complete' },
  { fault: 'data after the terminal event', does: { afterDone: true }, end: 'complete', stored: true },
  { fault: 'finish reason length', does: { finish: 'length' }, end: 'complete' },
  { fault: 'tool arguments that are not JSON', does: { tool: { id: 'c1', name: 'f', arguments: '{"a":' } }, end: 'complete', only: ['chat completions'] },
];

/** Odd, but an answer. */
const tolerated = [
  { fault: 'a whole answer where a stream was asked', does: { wholeForStream: true }, streams: true },
  { fault: 'a stream where a whole answer was asked', does: { streamForWhole: true }, streams: false },
  { fault: 'comments and CRLF', does: { comments: true, crlf: true }, streams: true },
  { fault: 'content before the role', does: { withoutRole: true }, streams: true, only: ['chat completions', 'UI message stream'] },
];

const shapesOf = ({ streams, only }) => shapes.filter(({ stream, protocol }) => (streams === undefined || stream === streams) && (!only || only.includes(protocol.name)));

/** Asks in all the row's shapes at once; `judge` returns what is wrong, or nothing. */
async function inAllShapes(row, gateway, upstream, judge) {
  const problems = await Promise.all(
    shapesOf(row).map(async ({ protocol, stream, label }) => {
      const q = question(row.fault);
      const calls = (at = upstream) => at.calls.filter(({ body }) => JSON.stringify(body).includes(q)).length;
      const started = performance.now();
      const outcome = await ask(gateway.url, protocol, protocol.body({ question: q, stream }));
      const wrong = judge({ outcome, protocol, stream, calls, ms: performance.now() - started, q });
      return [wrong].flat().filter(Boolean).map((problem) => `${label}: ${problem}`);
    }),
  );
  assert.deepEqual(problems.flat(), []);
}

const differs = (what, got, wanted) => (got === wanted ? undefined : `${what} is ${JSON.stringify(got)}, wanted ${JSON.stringify(wanted)}`);
const outside = (what, got, range) => (!range || (got >= range[0] && got <= range[1]) ? undefined : `${what} is ${Math.round(got)}, wanted ${range.join(' to ')}`);

describe('the fault matrix', () => {
  let first, second, alone, chain;
  before(async () => {
    first = await startUpstream();
    second = await startUpstream();
    const common = { timeouts, cache: { policy: 'never' }, llm: { max_attempts: 2 } };
    alone = await startGateway({ config: configOf({ ...bothKinds(first), ...common }) });
    chain = await startGateway({ config: configOf({ ...bothKinds(first, second), ...common }) });
  });

  for (const row of beforeCommit) {
    const { fault, does, status, code, passed, within, retryAfter } = row;

    test(`${fault}, nobody else to ask: ${status}`, async () => {
      first.reset(does);
      await inAllShapes(row, alone, first, ({ outcome, protocol, calls, ms }) => {
        const message = outcome.error?.message ?? '';
        return [
          differs('status', outcome.status, status),
          differs('end', outcome.end, 'error'),
          code && protocol.name !== 'messages' && protocol !== ui ? differs('code', outcome.error?.code, code) : undefined,
          message.length > 0 && message.length < 400 ? undefined : `the message is ${JSON.stringify(message)}`,
          protocol === ui && /^[{<]/.test(outcome.raw) ? `the body is not a sentence: ${outcome.raw}` : undefined,
          passed && protocol !== ui && !/upstream says/.test(message) ? `the provider’s words are lost: ${message}` : undefined,
          /sk-|127\.0\.0\.1/.test(outcome.raw) ? `the body tells too much: ${outcome.raw}` : undefined,
          outside('time', ms, within),
          outside('retry-after', Number(outcome.headers.get('retry-after')), retryAfter ?? (status === 429 && does.status ? [1, 60] : undefined)),
          passed ? differs('upstream calls', calls(), 1) : undefined,
          outcome.headers.get('x-request-id') ? undefined : 'no x-request-id',
        ];
      });
    });

    test(`${fault}, with a second upstream: ${passed ? 'passed on' : 'its answer'}`, async () => {
      first.reset(does);
      second.reset({ text: 'The second upstream answers.' });
      await inAllShapes(row, chain, first, ({ outcome, calls }) =>
        passed
          ? [differs('status', outcome.status, status), differs('calls to the second', calls(second), 0)]
          : [
              differs('status', outcome.status, 200),
              differs('text', outcome.text, 'The second upstream answers.'),
              differs('end', outcome.end, 'complete'),
              differs('calls to the second', calls(second), 1),
            ]);
    });
  }

  for (const row of afterCommit) {
    const { fault, does, end, code, within } = row;
    test(`${fault} in mid-answer: ${end}`, async () => {
      first.reset(does);
      second.reset();
      await inAllShapes({ ...row, streams: true }, chain, first, ({ outcome, protocol, calls, ms }) => {
        // Without its terminal event an answer of /v1/responses has no status: that is a cut.
        const wanted = protocol === responses && does.withoutDone ? 'error' : end;
        return [
          differs('status', outcome.status, 200),
          differs('end', outcome.end, wanted),
          wanted === 'complete' || does.tool || outcome.text.length > 0 ? undefined : 'the first words are lost',
          wanted === 'error' && code && (protocol.name === 'chat completions' || protocol === responses) ? differs('code', outcome.error?.code, code) : undefined,
          wanted === 'error' && !outcome.error?.message ? 'an error without words' : undefined,
          protocol === ui && !outcome.raw.includes('data: [DONE]') ? 'no [DONE]' : undefined,
          outside('time', ms, within),
          differs('calls to the second', calls(second), 0),
        ];
      });
    });
  }

  for (const row of tolerated) {
    test(`${row.fault} is an answer`, async () => {
      first.reset({ text: 'Right as rain, word by word.', ...row.does });
      await inAllShapes(row, alone, first, ({ outcome }) => [
        differs('status', outcome.status, 200),
        differs('text', outcome.text, 'Right as rain, word by word.'),
        differs('end', outcome.end, 'complete'),
      ]);
    });
  }

  test('[DONE] without a finish reason is forwarded', async () => {
    first.reset({ withoutFinish: true, text: 'All of it.' });
    await inAllShapes({ fault: 'no finish', streams: true, only: ['chat completions'] }, alone, first, ({ outcome }) => [
      differs('text', outcome.text, 'All of it.'),
      outcome.raw.includes('data: [DONE]') ? undefined : 'no [DONE]',
    ]);
  });

  test('a provider that is not there: 502, or the second upstream', async () => {
    const gone = await startUpstream();
    const dead = await startGateway({ config: configOf({ ...bothKinds(gone), timeouts }) });
    const rescued = await startGateway({ config: configOf({ ...bothKinds(gone, second), timeouts }) });
    await gone.stop();
    gone.stop = async () => undefined;
    second.reset({ text: 'Still here.' });
    await inAllShapes({ fault: 'refused' }, dead, gone, ({ outcome, protocol }) => [
      differs('status', outcome.status, 502),
      protocol.name === 'messages' || protocol === ui ? undefined : differs('code', outcome.error?.code, 'upstream_unreachable'),
    ]);
    await inAllShapes({ fault: 'refused' }, rescued, gone, ({ outcome }) => [differs('text', outcome.text, 'Still here.')]);
  });

  test('a stale pooled connection costs nobody an answer', async () => {
    first.reset({ text: 'Fresh.' });
    const warm = () => inAllShapes({ fault: 'stale' }, alone, first, ({ outcome }) => [differs('text', outcome.text, 'Fresh.')]);
    await warm();
    first.dropIdleConnections();
    await warm();
  });
});

test('a fallback’s answer is stored under the fallback’s key only', async () => {
  const first = await startUpstream({ status: 500 });
  const second = await startUpstream({ text: 'From the second.' });
  const gateway = await startGateway({ config: configOf(bothKinds(first, second)) });
  const { protocol } = shapes[0];
  const body = protocol.body({ question: question(), temperature: 0 });
  assert.equal((await ask(gateway.url, protocol, body)).text, 'From the second.');
  first.reset({ text: 'From the first.' });
  const again = await ask(gateway.url, protocol, body);
  assert.equal(cacheStatus(again.headers).hit, undefined);
  assert.equal(again.text, 'From the first.');
});

test('bad requests are refused before any upstream call', async () => {
  const upstream = await startUpstream();
  const gateway = await startGateway({ config: configOf({ ...bothKinds(upstream), llm: { max_request: '64KiB' } }) });
  const post = (path, body, headers = { 'content-type': 'application/json' }) => fetch(`${gateway.url}${path}`, { method: 'POST', headers, body });
  for (const path of ['/v1/chat/completions', '/v1/messages', '/v1/responses', '/api/chat']) {
    const broken = await post(path, '{"model":"gpt-test","messages":[}');
    assert.equal(broken.status, 400, path);
    assert.match(await broken.text(), /\b(3[0-9]|offset|position|column)\b/i, `${path} names the place`);
    assert.equal((await post(path, '[]')).status, 400, path);
    assert.equal((await post(path, JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x'.repeat(100_000) }] }))).status, 413, path);
    assert.equal((await fetch(`${gateway.url}${path}`)).status, 405, path);
  }
  assert.equal(upstream.calls.length, 0);
});
