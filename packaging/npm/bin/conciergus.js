#!/usr/bin/env node
// Runs the binary that this package carries: same arguments, environment, output, signals and exit status.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const binary = fileURLToPath(new URL('../vendor/bin/conciergus', import.meta.url));
const child = spawn(binary, process.argv.slice(2), { stdio: 'inherit' });

// A terminal sends Ctrl-C to both of us; the binary decides when it has finished draining.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
}
child.on('error', (error) => {
  console.error(`conciergus: cannot run ${binary}: ${error.message}`);
  console.error('This package is for Linux on x64 with glibc 2.36 or newer (Debian 12, Ubuntu 22.10 and later).');
  process.exit(127);
});
child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
