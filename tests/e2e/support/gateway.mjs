// Starts the real binary, waits until it listens, and stops it again.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const binary = path.resolve(root, process.env.CONCIERGUS_BIN ?? 'build/release/conciergus');

/** What a test must not inherit from the shell that runs it. */
const cleanEnvironment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(CONCIERGUS_|OPENAI_|ANTHROPIC_|REDIS_URL|DATABASE_URL|PORT$|HOST$)/.test(name)),
);

export class Gateway {
  #process;
  #exit;
  #folder;
  #output = '';
  /** @type {number} */ port;

  /**
   * @param {{config?: string, env?: Record<string, string>, args?: string[], command?: string}} [options]
   */
  static async start({ config, env = {}, args = [], command = binary } = {}) {
    if (!existsSync(command)) throw new Error(`no binary at ${command}: run script/build, or set CONCIERGUS_BIN`);
    const gateway = new Gateway();
    gateway.#folder = await mkdtemp(path.join(tmpdir(), 'conciergus-e2e-'));
    const portFile = path.join(gateway.#folder, 'port');
    if (config !== undefined) {
      await writeFile(gateway.configFile, config);
      args = ['--config', gateway.configFile, ...args];
    }
    gateway.#process = spawn(command, ['serve', '--port-file', portFile, ...args], {
      env: { ...cleanEnvironment, HOST: '127.0.0.1', PORT: '0', ...env },
      cwd: gateway.#folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const collect = (chunk) => {
      gateway.#output = (gateway.#output + chunk).slice(-4 * 1024 * 1024);
    };
    gateway.#process.stdout.on('data', collect);
    gateway.#process.stderr.on('data', collect);
    gateway.#exit = new Promise((resolve) => {
      gateway.#process.on('error', (error) => resolve({ code: null, signal: null, error }));
      gateway.#process.on('exit', (code, signal) => resolve({ code, signal }));
    });
    for (const deadline = Date.now() + 20_000; ; ) {
      const text = await readFile(portFile, 'utf8').catch(() => '');
      if (Number(text) > 0) {
        gateway.port = Number(text);
        return gateway;
      }
      const over = gateway.#process.exitCode !== null || gateway.#process.signalCode !== null || Date.now() > deadline;
      if (over) {
        await gateway.kill();
        throw new Error(`the gateway did not start:\n${gateway.#output}`);
      }
      await sleep(10);
    }
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid() {
    return this.#process.pid;
  }

  get configFile() {
    return path.join(this.#folder, 'conciergus.toml');
  }

  /** Everything it printed so far. */
  get output() {
    return this.#output;
  }

  /** Resolves when the process has ended. */
  get exited() {
    return this.#exit;
  }

  signal(name) {
    this.#process.kill(name);
  }

  /** SIGTERM; fails when the process does not leave by itself, or not cleanly. */
  async stop() {
    this.signal('SIGTERM');
    const timeout = sleep(15_000, 'late', { ref: false });
    const end = await Promise.race([this.#exit, timeout]);
    await this.kill();
    if (end === 'late') throw new Error(`the gateway did not stop on SIGTERM:\n${this.#output.slice(-4000)}`);
    if (end.code !== 0) throw new Error(`the gateway left with ${JSON.stringify(end)}:\n${this.#output.slice(-4000)}`);
  }

  async kill() {
    this.#process.kill('SIGKILL');
    await this.#exit;
    await rm(this.#folder, { recursive: true, force: true });
  }
}
