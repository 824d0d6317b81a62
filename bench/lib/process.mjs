// Processes under test: pinned to a core, with their CPU time and memory read from /proc.
import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const TICKS_PER_SECOND = 100; // sysconf(_SC_CLK_TCK) on Linux
const running = new Set();

/** A process pinned to `core`, with its helpers (nginx workers) counted in. */
export class Server {
  constructor(name, core, command, args, options = {}) {
    this.name = name;
    this.child = spawn("taskset", ["-c", String(core), command, ...args], {
      stdio: ["ignore", "ignore", "pipe"],
      ...options,
    });
    this.errors = "";
    this.child.stderr.on("data", (text) => (this.errors = (this.errors + text).slice(-4000)));
    this.exited = new Promise((resolve) => this.child.once("exit", resolve));
    running.add(this);
  }

  /** Waits until something accepts on `port`. */
  async ready(port, limitMs = 10_000) {
    const until = Date.now() + limitMs;
    while (Date.now() < until) {
      if (this.child.exitCode !== null) break;
      const open = await new Promise((resolve) => {
        const socket = net.connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
        socket.on("connect", () => socket.destroy());
      });
      if (open) return this;
      await sleep(50);
    }
    throw new Error(`${this.name} does not answer on port ${port}:\n${this.errors}`);
  }

  pids() {
    const children = new Map();
    for (const entry of readdirSync("/proc")) {
      if (!/^\d+$/.test(entry)) continue;
      try {
        const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
        const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
        children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
      } catch {
        // gone meanwhile
      }
    }
    const all = [];
    const walk = (pid) => {
      all.push(pid);
      for (const child of children.get(pid) ?? []) walk(child);
    };
    walk(this.child.pid);
    return all;
  }

  /** Seconds of CPU so far: {user, system}. */
  cpu() {
    let user = 0;
    let system = 0;
    for (const pid of this.pids()) {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        user += Number(fields[11]);
        system += Number(fields[12]);
      } catch {
        // gone meanwhile
      }
    }
    return { user: user / TICKS_PER_SECOND, system: system / TICKS_PER_SECOND };
  }

  /** Resident memory in KiB. */
  rss() {
    let total = 0;
    for (const pid of this.pids()) {
      try {
        total += Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
      } catch {
        // gone meanwhile
      }
    }
    return total;
  }

  async stop() {
    running.delete(this);
    if (this.child.exitCode === null) this.child.kill("SIGTERM");
    await Promise.race([this.exited, sleep(3000).then(() => this.child.kill("SIGKILL"))]);
  }
}

export async function stopAll() {
  for (const server of [...running].reverse()) await server.stop();
}

/** Runs a command to its end and returns what it printed. */
export async function run(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  let out = "";
  let errors = "";
  child.stdout.on("data", (text) => (out += text));
  child.stderr.on("data", (text) => (errors += text));
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: exit ${code}\n${errors || out}`);
  return out;
}

/** A port of the loopback that nobody uses now. */
export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
