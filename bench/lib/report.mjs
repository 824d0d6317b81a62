// Results as JSON with machine and commit, and as a table on the terminal.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");

function git(...args) {
  try {
    return execFileSync("git", ["-C", root, ...args], { encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}

export function machine() {
  const release = /PRETTY_NAME="(.*)"/.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  return {
    cpu: os.cpus()[0]?.model.trim(),
    cores: os.cpus().length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: release,
    kernel: os.release(),
  };
}

/** Writes build/bench/<suite>.json and prints the rows: {measure, target, ratio?, value?, met, ...}. */
export function report(suite, rows, details) {
  const folder = join(root, "build/bench");
  mkdirSync(folder, { recursive: true });
  const commit = git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain") ? "+changes" : "");
  const file = join(folder, `${suite}.json`);
  const result = { suite, date: new Date().toISOString(), commit, machine: machine(), rows, details };
  writeFileSync(file, JSON.stringify(result, null, 2) + "\n");
  console.log(`\n${suite} at ${commit} on ${machine().cpu} (${machine().cores} cores)`);
  for (const row of rows) {
    const interval = row.low === undefined ? "" : ` [${format(row.low)}, ${format(row.high)}]`;
    console.log(`  ${row.met ? "ok  " : "MISS"} ${row.measure}: ${format(row.value)}${interval} ${row.unit ?? ""} (to reach ${row.target})`);
  }
  console.log(`  written to ${file}`);
}

export function format(value) {
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}
