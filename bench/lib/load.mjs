// Load generators on a core of their own.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { run } from "./process.mjs";
import { quantile } from "./stats.mjs";

/** One closed-loop round of wrk against `server`; CPU figures are of the server, per request. */
export async function wrk(server, url, { core, seconds, connections = 64, post = null }) {
  const args = ["-c", String(core), "wrk", "-t1", `-c${connections}`, `-d${seconds}s`, "--latency", "--timeout", "10s"];
  let script;
  if (post) {
    script = join(tmpdir(), `conciergus-bench-${process.pid}.lua`);
    const headers = Object.entries(post.headers).map(([name, value]) => `wrk.headers[${lua(name)}] = ${lua(value)}`);
    writeFileSync(script, `wrk.method = "POST"\nwrk.body = ${lua(post.body)}\n${headers.join("\n")}\n`);
    args.push("-s", script);
  }
  const before = server.cpu();
  const out = await run("taskset", [...args, url]);
  const after = server.cpu();
  if (script) rmSync(script);
  const requests = Number(/(\d+) requests in/.exec(out)[1]);
  const failed = /Non-2xx or 3xx responses: (\d+)/.exec(out)?.[1] ?? /Socket errors: (.*)/.exec(out)?.[1];
  if (failed) throw new Error(`${server.name}: requests failed: ${failed}\n${out}`);
  return {
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]),
    p50Us: toMicroseconds(/50%\s+(\S+)/.exec(out)[1]),
    p99Us: toMicroseconds(/99%\s+(\S+)/.exec(out)[1]),
    cpuUs: (1e6 * (after.user - before.user + after.system - before.system)) / requests,
    userUs: (1e6 * (after.user - before.user)) / requests,
  };
}

/** One open-loop round at `rate` requests a second: latency from h2load's own log, HTTP/1.1. */
export async function paced(server, url, { core, seconds, connections = 16, rate }) {
  const log = join(tmpdir(), `conciergus-bench-${process.pid}.log`);
  const perClient = Math.max(1, Math.round(rate / connections));
  const before = server.cpu();
  await run("taskset", [
    "-c", String(core), "h2load", "--h1", "-c", String(connections), "-t", "1",
    "--rps", String(perClient), "-n", String(perClient * connections * seconds), `--log-file=${log}`, url,
  ]);
  const after = server.cpu();
  const micros = readFileSync(log, "utf8").trim().split("\n").map((line) => Number(line.split("\t")[2]));
  rmSync(log);
  micros.sort((a, b) => a - b);
  return {
    rate: perClient * connections,
    p50Us: quantile(micros, 0.5),
    p99Us: quantile(micros, 0.99),
    cpuUs: (1e6 * (after.user - before.user + after.system - before.system)) / micros.length,
  };
}

function lua(text) {
  return JSON.stringify(text);
}

function toMicroseconds(text) {
  const [, value, unit] = /([\d.]+)(us|ms|s)/.exec(text);
  return Number(value) * { us: 1, ms: 1e3, s: 1e6 }[unit];
}
