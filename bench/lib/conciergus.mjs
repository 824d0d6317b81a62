// The binary under test, with one shard on one core.
import { mkdtempSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { Server } from "./process.mjs";
import { root } from "./report.mjs";

export const binary = process.env.CONCIERGUS_BIN ?? join(root, "build/release/conciergus");

/** Serves with `config` (TOML text) on a port of its own choice: {server, port}. */
export async function conciergus(core, config, args = []) {
  const folder = mkdtempSync(join(tmpdir(), "conciergus-bench-"));
  const file = join(folder, "conciergus.toml");
  writeFileSync(file, config);
  const portFile = join(folder, "port");
  const server = new Server("conciergus", core, binary, [
    "serve", "--config", file, "--host", "127.0.0.1", "--port", "0", "--port-file", portFile, ...args,
  ], {
    // the access log goes to a file, as nginx's does
    stdio: ["ignore", openSync(join(folder, "access.log"), "w"), "pipe"],
    env: { ...process.env, CONCIERGUS_SERVER_SHARDS: "1" },
  });
  let port = 0;
  for (let tries = 0; tries < 200 && !port; ++tries) {
    await sleep(50);
    if (server.child.exitCode !== null) break;
    try {
      port = Number(readFileSync(portFile, "utf8"));
    } catch {
      // not yet
    }
  }
  if (!port) throw new Error(`conciergus does not start:\n${server.errors}`);
  await server.ready(port);
  return { server, port };
}
