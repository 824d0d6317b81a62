// What users install: the tarball and the npm package, packed, installed in a scratch folder and run.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { ask, chat, question, until } from './support/clients.mjs';
import { Gateway, root } from './support/gateway.mjs';

const run = promisify(execFile);

describe('the packages', () => {
  const out = path.join(root, 'build/package');
  let scratch, unpacked, npm;

  before(async () => {
    await run(path.join(root, 'script/package'), { maxBuffer: 16 << 20 });
    scratch = await mkdtemp(path.join(tmpdir(), 'conciergus-package-'));
    const files = await readdir(out);
    await run('tar', ['-xzf', path.join(out, files.find((file) => file.endsWith('.tar.gz'))), '-C', scratch]);
    unpacked = path.join(scratch, files.find((file) => file.endsWith('.tar.gz')).replace('.tar.gz', ''));
    npm = path.join(scratch, 'app');
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--prefix', npm, path.join(out, files.find((file) => file.endsWith('.tgz')))]);
  });
  after(() => scratch && rm(scratch, { recursive: true, force: true }));

  test('the tarball runs from wherever it is unpacked and moved to', async () => {
    const moved = path.join(scratch, 'moved here');
    await cp(unpacked, moved, { recursive: true });
    const command = path.join(moved, 'bin/conciergus');
    assert.match((await run(command, ['version'])).stdout, /conciergus \d+\.\d+\.\d+/);
    const gateway = await Gateway.start({ command });
    try {
      assert.equal((await ask(gateway.url, chat, chat.body({ question: question(), model: 'simulated' }))).end, 'complete');
      assert.equal((await fetch(gateway.url)).status, 200, 'the demo page is inside');
    } finally {
      await gateway.stop();
    }
  });

  test('it carries every library but glibc, and the licences', async () => {
    const { stdout } = await run('ldd', [path.join(unpacked, 'bin/conciergus')]);
    const outside = stdout.split('\n').filter((line) => line.includes('=>') && !line.includes(unpacked));
    assert.deepEqual(outside.filter((line) => !/^\s*(lib(c|m|dl|rt|pthread|resolv|anl|mvec)\.so|ld-linux)/.test(line)), []);
    for (const file of ['LICENSE', 'README.md', 'conciergus.toml']) assert.ok((await readFile(path.join(unpacked, file))).length > 0, file);
    assert.ok((await readdir(path.join(unpacked, 'licenses'))).length > 3);
  });

  test('its example configuration is valid', async () => {
    await run(path.join(unpacked, 'bin/conciergus'), ['check', '--config', path.join(unpacked, 'conciergus.toml')], {
      env: { ...process.env, OPENAI_API_KEY: 'sk-a', ANTHROPIC_API_KEY: 'sk-b' },
    });
  });

  test('the npm package: npx conciergus version', async () => {
    const { stdout } = await run('npx', ['--offline', 'conciergus', 'version'], { cwd: npm });
    assert.match(stdout, /conciergus \d+\.\d+\.\d+/);
    const manifest = JSON.parse(await readFile(path.join(npm, 'node_modules/conciergus/package.json')));
    assert.deepEqual(manifest.os, ['linux']);
    assert.equal(manifest.scripts, undefined, 'nothing runs on install');
    await assert.rejects(run('npx', ['--offline', 'conciergus', 'no-such-word'], { cwd: npm }), (error) => error.code > 0);
  });

  test('the npm package: npx conciergus serve, ended by a signal', async () => {
    const portFile = path.join(scratch, 'port');
    const shim = spawn(path.join(npm, 'node_modules/.bin/conciergus'), ['serve', '--port-file', portFile], {
      env: { ...process.env, PORT: '0', HOST: '127.0.0.1' },
      stdio: 'ignore',
    });
    const exit = new Promise((resolve) => shim.on('exit', (code, signal) => resolve({ code, signal })));
    let port = 0;
    await until(async () => (port = Number(await readFile(portFile, 'utf8').catch(() => ''))) > 0, 'the port', 10_000);
    assert.equal((await fetch(`http://127.0.0.1:${port}/_conciergus/healthz`)).status, 200);
    shim.kill('SIGTERM');
    assert.deepEqual(await exit, { code: 0, signal: null });
  });
});
