// The application behind the gateway: `--app URL`.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import WebSocket, { WebSocketServer } from 'ws';
import { chat, ask, question, until } from './support/clients.mjs';
import { startGateway } from './support/harness.mjs';

describe('an application behind the gateway', () => {
  let gateway, app, sockets;
  const seen = [];
  before(async () => {
    app = http.createServer((request, response) => {
      seen.push({ url: request.url, method: request.method, headers: request.headers });
      if (request.url === '/events') {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        let n = 0;
        const timer = setInterval(() => {
          response.write(`data: ${++n}\n\n`);
          if (n === 4) {
            clearInterval(timer);
            response.end();
          }
        }, 150);
        return;
      }
      if (request.url === '/hints') response.writeEarlyHints({ link: '</a.css>; rel=preload; as=style' });
      if (request.url === '/cut') return void response.socket.destroy();
      const parts = [];
      request.on('data', (part) => parts.push(part)).on('end', () => {
        response.writeHead(200, { 'content-type': 'text/plain', 'set-cookie': ['a=1', 'b=2'], connection: 'keep-alive, x-private', 'x-private': 'hop' });
        response.end(`${request.method} ${request.url} ${Buffer.concat(parts).length}`);
      });
    });
    sockets = new WebSocketServer({ server: app, handleProtocols: (offered) => [...offered][0] ?? false });
    sockets.on('connection', (socket) => socket.on('message', (data, isBinary) => (String(data) === 'bye' ? socket.close(4001, 'as you wish') : socket.send(data, { binary: isBinary }))));
    await new Promise((resolve) => app.listen(0, '127.0.0.1', resolve));
    gateway = await startGateway({ args: ['--app', `http://127.0.0.1:${app.address().port}`] });
  });
  after(() => {
    sockets.close();
    app.closeAllConnections();
    app.close();
  });

  test('gets requests with their body and the forwarding fields, without hop-by-hop ones', async () => {
    const response = await fetch(`${gateway.url}/some/path?q=%20x&q=2`, { method: 'PUT', body: 'x'.repeat(200_000), headers: { cookie: 'c=3', 'x-forwarded-for': '9.9.9.9' } });
    assert.equal(await response.text(), 'PUT /some/path?q=%20x&q=2 200000');
    const { headers } = seen.at(-1);
    assert.equal(headers.cookie, 'c=3');
    assert.match(headers['x-forwarded-for'], /127\.0\.0\.1$/);
    assert.equal(headers['x-forwarded-proto'], 'http');
    assert.equal(headers['x-forwarded-host'], `127.0.0.1:${gateway.port}`);
    assert.match(headers.forwarded, /for=.*127\.0\.0\.1/);
    assert.match(headers.via, /^1\.1 /);
    assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
    assert.equal(response.headers.get('x-private'), null);
    assert.match(response.headers.get('via'), /1\.1/);
  });

  test('owns the page and /api/chat; the LLM routes stay', async () => {
    assert.match(await (await fetch(`${gateway.url}/`)).text(), /^GET \//);
    assert.match(await (await fetch(`${gateway.url}/api/chat`, { method: 'POST', body: '{}' })).text(), /^POST \/api\/chat/);
    assert.equal((await ask(gateway.url, chat, chat.body({ question: question(), model: 'simulated' }))).end, 'complete');
  });

  test('its server-sent events arrive one by one, also through gzip', async () => {
    for (const encoding of ['identity', 'gzip']) {
      const started = performance.now();
      const response = await fetch(`${gateway.url}/events`, { headers: { 'accept-encoding': encoding } });
      const times = [];
      for await (const _ of response.body) times.push(performance.now() - started);
      assert.ok(times.length >= 4, `${encoding}: ${times.length} pieces`);
      assert.ok(times.at(-1) - times[0] > 300, `${encoding}: ${times.map(Math.round)}`);
    }
  });

  test('its early hints are passed on', async () => {
    const hints = await new Promise((resolve, reject) => {
      const got = [];
      http.get(`${gateway.url}/hints`, (response) => response.resume().on('end', () => resolve(got))).on('information', (info) => got.push(info)).on('error', reject);
    });
    assert.equal(hints[0]?.statusCode, 103);
    assert.match(hints[0].headers.link, /a\.css/);
  });

  test('WebSocket: text, large binary, subprotocol, close code', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/socket?x=1`, ['chat.v2']);
    await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
    assert.equal(socket.protocol, 'chat.v2');
    const echo = (data) =>
      new Promise((resolve) => {
        socket.once('message', (back) => resolve(back));
        socket.send(data);
      });
    assert.equal(String(await echo('hello')), 'hello');
    const large = Buffer.alloc(1_500_000, 7);
    assert.ok(large.equals(await echo(large)));
    const closed = new Promise((resolve) => socket.on('close', (code, reason) => resolve([code, String(reason)])));
    socket.send('bye');
    assert.deepEqual(await closed, [4001, 'as you wish']);
  });

  test('WebSocket: a client that vanishes closes the other side', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/socket`);
    await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
    await until(() => sockets.clients.size === 1, 'the connection');
    socket.terminate();
    await until(() => sockets.clients.size === 0, 'the other side to close');
  });

  test('its failure is a 502 in the form the client accepts', async () => {
    const page = await fetch(`${gateway.url}/cut`, { headers: { accept: 'text/html' } });
    assert.equal(page.status, 502);
    assert.match(page.headers.get('content-type'), /^text\/html/);
    const object = await fetch(`${gateway.url}/cut`, { headers: { accept: 'application/json' } });
    assert.equal(object.status, 502);
    assert.ok((await object.json()).error);
  });
});
