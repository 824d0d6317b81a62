// The process itself: how it starts with nothing, reloads, drains and leaves.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import net from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ask, cacheStatus, chat, protocols, question, ui, until } from './support/clients.mjs';
import { bothKinds, configOf } from './support/config.mjs';
import { Gateway, binary } from './support/gateway.mjs';
import { startGateway, startPair, startUpstream } from './support/harness.mjs';

const run = promisify(execFile);

describe('with nothing configured', () => {
  test('it serves the demo page, the simulated provider, health and metrics', async () => {
    const gateway = await startGateway();
    const page = await fetch(`${gateway.url}/`);
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-type'), /^text\/html/);
    assert.match(page.headers.get('content-security-policy'), /default-src 'self'/);
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(await page.text())[1];
    const asset = await fetch(gateway.url + script);
    assert.equal(asset.status, 200);
    assert.match(asset.headers.get('cache-control'), /immutable/);
    assert.match(asset.headers.get('content-type'), /javascript/);
    const revalidated = await fetch(gateway.url + script, { headers: { 'if-none-match': asset.headers.get('etag') } });
    assert.equal(revalidated.status, 304);

    for (const protocol of protocols) {
      const outcome = await ask(gateway.url, protocol, protocol.body({ question: question(), stream: true, model: 'simulated' }));
      assert.equal(outcome.end, 'complete', `${protocol.name}: ${outcome.raw.slice(0, 300)}`);
      assert.equal(outcome.headers.get('x-conciergus-provider'), 'simulated');
      assert.match(outcome.text, /simulat/i, 'honest about what it is');
    }
    assert.equal((await fetch(`${gateway.url}/_conciergus/healthz`)).status, 200);
    assert.equal((await fetch(`${gateway.url}/_conciergus/readyz`)).status, 200);
    const metrics = await (await fetch(`${gateway.url}/_conciergus/metrics`)).text();
    assert.match(metrics, /^# TYPE conciergus_\w+ (counter|gauge|histogram)$/m);
    assert.equal((await fetch(`${gateway.url}/nowhere`)).status, 404);
  });

  test('the simulated provider fails on demand, and the failure is told honestly', async () => {
    const gateway = await startGateway({ env: { CONCIERGUS_LLM_PROVIDERS_SIMULATED_SIMULATED_INSTANT: 'true' } });
    for (const protocol of protocols.filter((p) => p !== ui)) {
      for (const stream of [true, false]) {
        const cut = await ask(gateway.url, protocol, protocol.body({ question: question(), stream, model: 'simulated!cut=3' }));
        assert.equal(cut.status, stream ? 200 : 502, protocol.name);
        assert.equal(cut.end, 'error', protocol.name);
        const limited = await ask(gateway.url, protocol, protocol.body({ question: question(), stream, model: 'simulated!status=429;retry-after=120' }));
        assert.equal(limited.status, 429, protocol.name);
        assert.equal(limited.headers.get('retry-after'), '120');
      }
    }
  });

  test('a provider in the environment replaces the simulated one', async () => {
    const upstream = await startUpstream({ text: 'Real.' });
    const gateway = await startGateway({ env: { OPENAI_API_KEY: 'sk-env', OPENAI_BASE_URL: upstream.url, ANTHROPIC_API_KEY: 'sk-ant', ANTHROPIC_BASE_URL: upstream.origin } });
    assert.equal((await ask(gateway.url, chat, chat.body({ question: question() }))).text, 'Real.');
    assert.equal(upstream.calls[0].headers.authorization, 'Bearer sk-env');
    assert.equal((await ask(gateway.url, protocols[1], protocols[1].body({ question: question() }))).text, 'Real.');
    assert.equal(upstream.calls[1].headers['x-api-key'], 'sk-ant');
    assert.doesNotMatch(gateway.output, /sk-env|sk-ant/, 'secrets are masked in the log');
  });
});

describe('the command line', () => {
  test('version, help and unknown words', async () => {
    assert.match((await run(binary, ['version'])).stdout, /conciergus \d+\.\d+\.\d+/);
    assert.match((await run(binary, ['--help'])).stdout, /serve/);
    await assert.rejects(run(binary, ['sevre']), (error) => error.code !== 0 && error.stderr !== '');
  });

  test('check names every mistake with its place', async () => {
    const file = `/tmp/conciergus-check-${process.pid}.toml`;
    await writeFile(file, '[llm]\ndefault_mdoel = "x"\n\n[llm.timeouts]\nstall = "fast"\n');
    await assert.rejects(run(binary, ['check', '--config', file]), ({ code, stdout, stderr }) => {
      assert.notEqual(code, 0);
      assert.match(stdout + stderr, /toml:2:\d+/);
      assert.match(stdout + stderr, /toml:5:\d+/);
      return true;
    });
    await writeFile(file, '[llm.timeouts]\nstall = "20s"\n');
    await run(binary, ['check', '--config', file]);
  });
});

describe('SIGTERM', () => {
  const slow = { text: 'one two three four five six seven eight', chunkDelayMs: 80 };

  async function during(wish, behaviour) {
    const upstream = await startUpstream(behaviour);
    const gateway = await Gateway.start({ config: configOf({ ...bothKinds(upstream), ...wish }) });
    const begun = protocols.map(() => '');
    const running = protocols.map((protocol, n) =>
      ask(gateway.url, protocol, protocol.body({ question: question(), stream: true }), { onText: (text) => (begun[n] = text) }));
    await until(() => begun.every((text) => text.includes('two')), 'all streams to run');
    const asked = performance.now();
    gateway.signal('SIGTERM');
    return { gateway, running, asked };
  }

  test('lets streams finish, takes no new connection, and leaves with 0', async () => {
    const { gateway, running } = await during({}, slow);
    await sleep(100);
    await assert.rejects(fetch(`${gateway.url}/_conciergus/healthz`), 'no new connection');
    for (const outcome of await Promise.all(running)) assert.equal(outcome.text, slow.text);
    assert.equal((await gateway.exited).code, 0);
    await gateway.kill();
  });

  test('past the limit ends streams with an error event', async () => {
    const { gateway, running, asked } = await during({ server: { drain_timeout: '2s' } }, { ...slow, text: 'one two '.repeat(500) });
    for (const [n, outcome] of (await Promise.all(running)).entries()) {
      assert.equal(outcome.end, 'error', `${protocols[n].name}: ${outcome.raw.slice(-300)}`);
      assert.match(outcome.text, /^one two/);
    }
    assert.equal((await gateway.exited).code, 0);
    const ms = performance.now() - asked;
    assert.ok(ms > 500 && ms < 3_000, `${ms} ms`); // the error events go out a little before the limit
    await gateway.kill();
  });
});

describe('SIGHUP', () => {
  test('takes the new file; running streams keep what they began with; a bad file changes nothing', async () => {
    const old = await startUpstream({ text: 'old words, one by one, for a while', chunkDelayMs: 100 });
    const fresh = await startUpstream({ text: 'new' });
    const gateway = await startGateway({ config: configOf(bothKinds(old)) });
    let soFar = '';
    const running = ask(gateway.url, chat, chat.body({ question: question(), stream: true }), { onText: (text) => (soFar = text) });
    await until(() => soFar, 'the stream');

    await writeFile(gateway.configFile, configOf(bothKinds(fresh)));
    gateway.signal('SIGHUP');
    await until(async () => (await ask(gateway.url, chat, chat.body({ question: question() }))).text === 'new', 'the new configuration');
    assert.equal((await running).text, 'old words, one by one, for a while');

    const before = gateway.output.length;
    await writeFile(gateway.configFile, '[llm\nbroken');
    gateway.signal('SIGHUP');
    await until(() => /toml:1/.test(gateway.output.slice(before)), 'the reason in the log');
    assert.equal((await ask(gateway.url, chat, chat.body({ question: question() }))).text, 'new');
  });
});

describe('a client that leaves', () => {
  const slow = { text: 'one two three four five six', chunkDelayMs: 60 };

  async function leave(gateway, upstream, protocol, body) {
    const leaving = new AbortController();
    let soFar = '';
    const left = ask(gateway.url, protocol, body, { signal: leaving.signal, onText: (text) => (soFar = text) }).catch(() => undefined);
    await until(() => soFar.includes('one'), 'the first word');
    leaving.abort();
    await left;
    return performance.now();
  }

  test('cancel: the upstream call ends within 100 ms and nothing is stored', async () => {
    const { upstream, gateway } = await startPair({ onDisconnect: 'cancel' });
    for (const protocol of protocols.filter((p) => p !== ui)) {
      upstream.reset(slow);
      const body = protocol.body({ question: question(), stream: true });
      const at = await leave(gateway, upstream, protocol, body);
      await until(() => upstream.calls[0].abortedAt !== undefined, `${protocol.name}: the upstream call to end`);
      assert.ok(upstream.calls[0].abortedAt - at < 150, `${upstream.calls[0].abortedAt - at} ms`);
      assert.equal(cacheStatus((await ask(gateway.url, protocol, body)).headers).hit, undefined);
    }
  });

  test('drain: the answer is read to its end and stored', async () => {
    const { upstream, gateway } = await startPair({ onDisconnect: 'drain' });
    for (const protocol of protocols.filter((p) => p !== ui)) {
      upstream.reset(slow);
      const body = protocol.body({ question: question(), stream: true });
      await leave(gateway, upstream, protocol, body);
      await until(() => upstream.calls[0].finished, `${protocol.name}: the upstream call to finish`);
      assert.equal(upstream.calls[0].abortedAt, undefined);
      await until(async () => cacheStatus((await ask(gateway.url, protocol, body)).headers).hit === 'true', 'the record');
    }
  });

  test('a client that leaves while it waits for the first word frees the upstream too', async () => {
    const { upstream, gateway } = await startPair({}, { silent: true });
    const leaving = new AbortController();
    const left = ask(gateway.url, chat, chat.body({ question: question() }), { signal: leaving.signal }).catch(() => undefined);
    await until(() => upstream.calls.length === 1, 'the upstream call');
    leaving.abort();
    await left;
    await until(() => upstream.calls[0].abortedAt !== undefined, 'the upstream call to end');
  });
});

describe('limits', () => {
  const raw = (gateway, text) =>
    new Promise((resolve, reject) => {
      const socket = net.connect(gateway.port, '127.0.0.1', () => socket.write(text));
      let answer = '';
      socket.setEncoding('latin1').on('data', (chunk) => (answer += chunk)).on('close', () => resolve(answer)).on('error', reject);
      socket.setTimeout(8_000, () => socket.destroy());
    });

  test('smuggling forms are refused and the connection is closed', async () => {
    const gateway = await startGateway();
    for (const [what, head] of Object.entries({
      'CL and TE': 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'two lengths': 'Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde',
      'obs-fold': 'X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n',
      'space before colon': 'Content-Length : 0\r\n\r\n',
      'bare LF': 'Content-Length: 0\n\n',
      'chunk size': 'Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n',
    })) {
      const answer = await raw(gateway, `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n${head}GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 400 /, what);
      assert.equal(answer.match(/HTTP\/1\.1 /g).length, 1, what);
    }
    assert.match(await raw(gateway, `GET / HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(40_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
    assert.match(await raw(gateway, 'GET / HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /, 'no Host');
  });
});
