// curl, nghttp and h2load: the gateway as the command line sees it, over HTTP/1.1 and HTTP/2.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { before, beforeEach, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { chat, question, until } from './support/clients.mjs';
import { bothKinds, configOf } from './support/config.mjs';
import { startGateway, startPair, startUpstream } from './support/harness.mjs';

const run = promisify(execFile);
const json = ['-H', 'content-type: application/json'];

describe('curl', () => {
  let upstream, gateway;
  before(async () => {
    ({ upstream, gateway } = await startPair());
  });
  beforeEach(() => upstream.reset());

  const curl = async (args, body) => (await run('curl', ['-sS', '--max-time', '20', ...args, ...(body ? [...json, '-d', JSON.stringify(body)] : [])], { maxBuffer: 64 << 20 })).stdout;
  const completions = () => `${gateway.url}/v1/chat/completions`;

  for (const [version, flag] of Object.entries({ '1.1': '--http1.1', 2: '--http2-prior-knowledge' })) {
    describe(`HTTP/${version}`, () => {
      test('whole answer, stream, and head fields', async () => {
        const q = question();
        const whole = JSON.parse(await curl([flag, completions()], chat.body({ question: q })));
        assert.equal(whole.choices[0].message.content, `Answer 1 to: ${q}`);
        const stream = await curl([flag, '-i', '-N', completions()], chat.body({ question: question(), stream: true }));
        const [head, ...events] = stream.split('\r\n\r\n');
        assert.match(head, new RegExp(`^HTTP/${version}`));
        assert.match(head, /^content-type: text\/event-stream/im);
        assert.match(head, /^cache-control: no-cache, no-transform/im);
        assert.match(head, /^x-accel-buffering: no/im);
        assert.match(head, /^x-request-id: \S+/im);
        assert.match(head, /^cache-status: conciergus; ?fwd=miss/im);
        assert.match(head, /^server-timing: .*dur=/im);
        assert.doesNotMatch(head, /^content-length:/im);
        if (version === '2') assert.doesNotMatch(head, /^(connection|transfer-encoding):/im);
        assert.match(events.join(''), /data: \[DONE\]\s*$/);
      });

      test('a second answer comes from the cache', async () => {
        const body = chat.body({ question: question(), temperature: 0 });
        const first = await curl([flag, completions()], body);
        assert.equal(await curl([flag, completions()], body), first);
        assert.equal(upstream.calls.length, 1);
      });

      test('error with the true status', async () => {
        upstream.reset({ status: 500 });
        const out = await curl([flag, '-o', '/dev/null', '-w', '%{http_code} %{content_type}', completions()], chat.body({ question: question() }));
        assert.match(out, /^502 application\/json/);
      });

      test('HEAD has the fields of GET and no body', async () => {
        const head = await curl([flag, '-I', `${gateway.url}/`]);
        assert.match(head, /^HTTP\/\S+ 200/);
        assert.match(head, /^content-length: [1-9]/im);
      });

      test('compression on request, and never of a stream so that it waits', async () => {
        upstream.reset({ text: 'compress me '.repeat(500) });
        for (const coding of ['zstd', 'br', 'gzip']) {
          const head = await curl([flag, '-D', '-', '-o', '/dev/null', '-H', `accept-encoding: ${coding}`, completions()], chat.body({ question: question() }));
          assert.match(head, new RegExp(`^content-encoding: ${coding}`, 'im'), coding);
          assert.match(head, /^vary: .*accept-encoding/im);
        }
        upstream.reset({ text: 'one two three four', chunkDelayMs: 200 });
        const [first, total] = (await curl([flag, '-N', '--compressed', '-o', '/dev/null', '-w', '%{time_starttransfer} %{time_total}', completions()], chat.body({ question: question(), stream: true }))).split(' ').map(Number);
        assert.ok(total - first > 0.4, `first byte at ${first}, end at ${total}`);
      });

      test('an abort reaches the provider', async () => {
        upstream.reset({ text: 'word '.repeat(200), chunkDelayMs: 50 });
        await assert.rejects(run('curl', ['-sS', flag, '--max-time', '0.5', '-o', '/dev/null', completions(), ...json, '-d', JSON.stringify(chat.body({ question: question(), stream: true }))]));
        await until(() => upstream.calls[0].abortedAt !== undefined, 'the upstream call to end');
      });
    });
  }

  test('Expect: 100-continue with a large body', async () => {
    const body = chat.body({ question: 'x'.repeat(300_000) });
    const file = path.join(await mkdtemp(path.join(tmpdir(), 'conciergus-curl-')), 'body.json');
    await writeFile(file, JSON.stringify(body));
    const out = await curl(['-v', '--stderr', '-', '-H', 'Expect: 100-continue', ...json, '--data-binary', `@${file}`, completions()]);
    assert.match(out, /< HTTP\/1\.1 100 Continue/i);
    assert.match(out, /< HTTP\/1\.1 200/);
    const chunked = await curl(['-H', 'transfer-encoding: chunked', ...json, '--data-binary', `@${file}`, completions()]);
    assert.match(chunked, /"finish_reason": ?"stop"/);
  });

  test('trace context goes through, and each request has its own id', async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c';
    await curl(['-H', `traceparent: 00-${trace}-b7ad6b7169203331-01`, completions()], chat.body({ question: question() }));
    assert.match(upstream.calls[0].headers.traceparent, new RegExp(`^00-${trace}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`));
    const ids = await Promise.all([1, 2].map(() => curl(['-o', '/dev/null', '-w', '%header{x-request-id}', `${gateway.url}/_conciergus/healthz`])));
    assert.notEqual(ids[0], ids[1]);
  });

  test('CORS exposes what clients need to read', async () => {
    const upstreamOfPages = await startUpstream();
    const open = await startGateway({ config: configOf({ ...bothKinds(upstreamOfPages) }), env: { CONCIERGUS_CORS_ORIGINS: 'https://app.example' } });
    const preflight = await curl(['-i', '-X', 'OPTIONS', '-H', 'origin: https://app.example', '-H', 'access-control-request-method: POST', '-H', 'access-control-request-headers: content-type,authorization', `${open.url}/v1/chat/completions`]);
    assert.match(preflight, /^HTTP\/1\.1 20[04]/);
    assert.match(preflight, /^access-control-allow-origin: https:\/\/app\.example/im);
    const answer = await curl(['-i', '-H', 'origin: https://app.example', `${open.url}/v1/chat/completions`], chat.body({ question: question() }));
    assert.match(answer, /^access-control-expose-headers: .*cache-status/im);
    const foreign = await curl(['-i', '-H', 'origin: https://evil.example', `${open.url}/v1/chat/completions`], chat.body({ question: question() }));
    assert.doesNotMatch(foreign, /^access-control-allow-origin:/im);
  });
});

describe('HTTP/2', () => {
  let upstream, gateway;
  before(async () => {
    ({ upstream, gateway } = await startPair());
  });

  test('nghttp: many streams on one connection', async () => {
    const { stdout } = await run('nghttp', ['-nv', '-m', '20', `${gateway.url}/`]);
    assert.equal((stdout.match(/:status: 200/g) ?? []).length, 20);
  });

  test('h2load: no failure among 2,000 requests', async () => {
    const { stdout } = await run('h2load', ['-n', '2000', '-c', '10', '-m', '20', `${gateway.url}/_conciergus/healthz`]);
    assert.match(stdout, /2000 succeeded, 0 failed, 0 errored/);
  });

  test('h2load: cached answers, one upstream call', async () => {
    upstream.reset();
    const file = path.join(await mkdtemp(path.join(tmpdir(), 'conciergus-h2-')), 'body.json');
    await writeFile(file, JSON.stringify(chat.body({ question: question(), temperature: 0 })));
    const { stdout } = await run('h2load', ['-n', '1000', '-c', '4', '-m', '10', '-d', file, '-H', 'content-type: application/json', `${gateway.url}/v1/chat/completions`]);
    assert.match(stdout, /1000 succeeded, 0 failed, 0 errored/);
    assert.equal(upstream.calls.length, 1);
  });

  test('TLS: ALPN picks h2, and HTTP/1.1 for those who want it', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'conciergus-tls-'));
    const [certificate, key] = ['cert.pem', 'key.pem'].map((name) => path.join(folder, name));
    await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificate]);
    const secure = await startGateway({ config: configOf({ ...bothKinds(upstream), server: { tls: [{ certificate, key }] } }) });
    for (const [flag, version] of [['--http2', '2'], ['--http1.1', '1.1']]) {
      const { stdout } = await run('curl', ['-sS', flag, '--cacert', certificate, '-o', '/dev/null', '-w', '%{http_version} %{http_code}', `https://127.0.0.1:${secure.port}/`]);
      assert.equal(stdout, `${version} 200`);
    }
  });
});
