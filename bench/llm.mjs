// script/bench llm: cache hits against nginx proxy_cache and Portkey, and many open streams.
// Portkey binds every interface, so this runs in a network namespace of its own (script/bench).
import { existsSync } from "node:fs";
import { join } from "node:path";

import { conciergus } from "./lib/conciergus.mjs";
import { wrk } from "./lib/load.mjs";
import { nginx } from "./lib/nginx.mjs";
import { pairs, ratio } from "./lib/pairs.mjs";
import { freePort, run, Server, stopAll } from "./lib/process.mjs";
import { report, root } from "./lib/report.mjs";
import { summary } from "./lib/stats.mjs";

const rounds = Number(process.env.BENCH_ROUNDS ?? 10);
const seconds = Number(process.env.BENCH_SECONDS ?? 3);
const streams = Number(process.env.BENCH_STREAMS ?? 2000);
const portkey = join(root, "bench/peers/portkey/node_modules/@portkey-ai/gateway/build/start-server.js");
const streamLoad = join(root, "build/bench/bench/stream_load");
const rows = [];
const details = {};

const answer = JSON.stringify({
  id: "chatcmpl-bench", object: "chat.completion", created: 1_800_000_000, model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "y".repeat(780) }, finish_reason: "stop" }],
  usage: { prompt_tokens: 500, completion_tokens: 200, total_tokens: 700 },
});
const question = JSON.stringify({
  model: "m", temperature: 0,
  messages: [
    { role: "system", content: "You are a helpful assistant. ".repeat(30) },
    { role: "user", content: "Tell me about the history of computing. ".repeat(27) },
  ],
});
const post = { body: question, headers: { "content-type": "application/json", authorization: "Bearer sk-bench" } };

try {
  const upstreamPort = await freePort();
  await nginx("upstream", 1, upstreamPort,
    `access_log off; location / { default_type application/json; return 200 '${answer}'; }`);
  const provider = (extra = "") => `
[llm.providers.up]
kind = "openai"
base_url = "http://127.0.0.1:${upstreamPort}/v1"
keys = ["sk-upstream"]
[[llm.models]]
pattern = "*"
[[llm.models.targets]]
provider = "up"
${extra}`;
  const ours = await conciergus(0, provider());
  const url = `http://127.0.0.1:${ours.port}/v1/chat/completions`;

  // The peer's hit is a GET without a body: nginx keeps no POST answers by their content.
  const cachePort = await freePort();
  const cache = await nginx("nginx", 0, cachePort,
    `location / { proxy_pass http://127.0.0.1:${upstreamPort}; proxy_cache c; proxy_cache_valid 200 1h; }`,
    "proxy_cache_path @folder@/cache keys_zone=c:10m;");
  const hits = await pairs("LLM cache hit and nginx proxy_cache", rounds,
    () => wrk(ours.server, url, { core: 1, seconds, post }),
    () => wrk(cache, `http://127.0.0.1:${cachePort}/answer`, { core: 1, seconds }));
  details.hits = hits;
  const against = ratio(hits, "requestsPerSecond");
  rows.push({ measure: "LLM cache hit: requests/s / nginx proxy_cache GET hit", target: "≥ 0.8", unit: "×",
    value: against.median, low: against.low, high: against.high, met: against.median >= 0.8 });
  const user = summary(hits.a.map((one) => one.userUs));
  rows.push({ measure: "user-mode CPU per LLM hit", target: "≤ 8", unit: "µs",
    value: user.median, low: user.low, high: user.high, met: user.median <= 8 });
  await cache.stop();

  if (existsSync(portkey)) {
    const port = await freePort();
    const peer = await new Server("portkey", 0, "node", [portkey, `--port=${port}`, "--headless"],
      { env: { ...process.env, NODE_ENV: "production" } }).ready(port, 20_000);
    const config = { provider: "openai", api_key: "sk-bench", custom_host: `http://127.0.0.1:${upstreamPort}/v1` };
    const through = { ...post, headers: { ...post.headers, "x-portkey-config": JSON.stringify(config) } };
    const peerUrl = `http://127.0.0.1:${port}/v1/chat/completions`;
    await wrk(peer, peerUrl, { core: 1, seconds: 6, post: through }); // Node's compiler warms up
    const compared = await pairs("LLM cache hit and Portkey passing through", rounds,
      () => wrk(ours.server, url, { core: 1, seconds, post }),
      () => wrk(peer, peerUrl, { core: 1, seconds, post: through }));
    details.portkey = compared;
    const faster = ratio(compared, "requestsPerSecond");
    rows.push({ measure: "LLM cache hit: requests/s / Portkey passing through", target: "≥ 60", unit: "×",
      value: faster.median, low: faster.low, high: faster.high, met: faster.median >= 60 });
    await peer.stop();
  } else {
    console.log("Portkey is not installed (script/bench installs it): not compared");
  }
  await ours.server.stop();

  // Many open streams: one process is provider and client, so that one clock measures the way.
  const streamPort = await freePort();
  const hub = await conciergus(0, provider("[llm.cache]\npolicy = \"never\"\ncoalesce = false\n")
    .replace(`:${upstreamPort}/`, `:${streamPort}/`));
  const events = 10;
  const length = Math.max(seconds * 4, 10);
  const path = "/v1/chat/completions";
  const load = (target) => run("taskset", ["-c", "1", streamLoad, String(streamPort), String(target), path,
    String(streams), String(events), String(length)]).then(JSON.parse);
  const baseline = await load(streamPort);
  const before = hub.server.rss();
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, hub.server.rss())), 250);
  const cpuBefore = hub.server.cpu();
  const open = await load(hub.port);
  const cpuAfter = hub.server.cpu();
  clearInterval(watch);
  details.streams = { baseline, open, rssBeforeKiB: before, rssPeakKiB: peak };
  const delay = (open.p99_us - baseline.p99_us) / 1000;
  rows.push({ measure: `${streams} streams at ${events} events/s: added delay p99`, target: "≤ 5", unit: "ms",
    value: delay, met: delay <= 5 && open.whole === streams });
  rows.push({ measure: "memory per open stream", target: "≤ 24", unit: "KiB",
    value: (peak - before) / streams, met: (peak - before) / streams <= 24 });
  rows.push({ measure: "CPU per event", target: "(for information)", unit: "µs", met: true,
    value: (1e6 * (cpuAfter.user - cpuBefore.user + cpuAfter.system - cpuBefore.system)) / open.events });
} finally {
  await stopAll();
}
report("llm", rows, details);
