// script/bench http: the HTTP core against nginx, both with one worker on core 0, the load on core 1.
import { conciergus } from "./lib/conciergus.mjs";
import { paced, wrk } from "./lib/load.mjs";
import { nginx } from "./lib/nginx.mjs";
import { pairs, ratio } from "./lib/pairs.mjs";
import { freePort, stopAll } from "./lib/process.mjs";
import { report } from "./lib/report.mjs";
import { summary } from "./lib/stats.mjs";

const rounds = Number(process.env.BENCH_ROUNDS ?? 10);
const seconds = Number(process.env.BENCH_SECONDS ?? 3);
const body = "x".repeat(1024);
const rows = [];
const details = {};

try {
  // A 1 KiB answer from memory.
  const oursMemory = await conciergus(0, `[[responses]]\npath = "/kb"\ncontent_type = "text/plain"\nbody = "${body}"\n`);
  const memoryPort = await freePort();
  const theirsMemory = await nginx("nginx", 0, memoryPort, `location /kb { return 200 "${body}"; }`);
  const memory = await pairs(
    "1 KiB from memory",
    rounds,
    () => wrk(oursMemory.server, `http://127.0.0.1:${oursMemory.port}/kb`, { core: 1, seconds }),
    () => wrk(theirsMemory, `http://127.0.0.1:${memoryPort}/kb`, { core: 1, seconds }),
  );
  details.memory = memory;
  const memoryCpu = ratio(memory, "cpuUs");
  rows.push({ measure: "1 KiB from memory: CPU per request / nginx return 200", target: "≤ 0.95", unit: "×",
    value: memoryCpu.median, low: memoryCpu.low, high: memoryCpu.high, met: memoryCpu.median <= 0.95 });
  const user = summary(memory.a.map((one) => one.userUs));
  rows.push({ measure: "user-mode CPU per GET from memory", target: "≤ 2.5", unit: "µs",
    value: user.median, low: user.low, high: user.high, met: user.median <= 2.5 });
  rows.push({ measure: "resident memory after that", target: "(for information)", unit: "MiB",
    value: oursMemory.server.rss() / 1024, met: true });
  await oursMemory.server.stop();
  await theirsMemory.stop();

  // Idle: started, ready, nothing asked.
  const idle = await conciergus(0, "");
  const idleMiB = idle.server.rss() / 1024;
  rows.push({ measure: "resident memory idle", target: "≤ 30", unit: "MiB", value: idleMiB, met: idleMiB <= 30 });
  await idle.server.stop();

  // A proxy to an upstream that answers at once. Upstream and load share core 1.
  const upstreamPort = await freePort();
  await nginx("upstream", 1, upstreamPort, `access_log off; location / { return 200 "${body}"; }`);
  const ours = await conciergus(0, `[app]\nurl = "http://127.0.0.1:${upstreamPort}"\n`);
  const proxyPort = await freePort();
  const theirs = await nginx(
    "nginx", 0, proxyPort,
    `location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection "";
       proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }`,
    `upstream up { server 127.0.0.1:${upstreamPort}; keepalive 256; }`,
  );
  const oursUrl = `http://127.0.0.1:${ours.port}/`;
  const theirsUrl = `http://127.0.0.1:${proxyPort}/`;
  const saturated = await pairs(
    "proxy at saturation", Math.min(rounds, 5),
    () => wrk(ours.server, oursUrl, { core: 1, seconds }),
    () => wrk(theirs, theirsUrl, { core: 1, seconds }),
  );
  details.proxySaturated = saturated;
  const rate = Math.floor(Math.min(...[...saturated.a, ...saturated.b].map((one) => one.requestsPerSecond)) / 2);
  const proxied = await pairs(
    `proxy at ${rate}/s`, rounds,
    () => paced(ours.server, oursUrl, { core: 1, seconds, rate }),
    () => paced(theirs, theirsUrl, { core: 1, seconds, rate }),
  );
  details.proxyPaced = proxied;
  const direct = await paced(ours.server, `http://127.0.0.1:${upstreamPort}/`, { core: 1, seconds, rate });
  details.direct = direct;
  const added = summary(proxied.a.map((one, i) =>
    (one.p50Us - direct.p50Us) / Math.max(1, proxied.b[i].p50Us - direct.p50Us)));
  rows.push({ measure: "proxy at half of saturation: added p50 / nginx proxy_pass", target: "≤ 1.0", unit: "×",
    value: added.median, low: added.low, high: added.high, met: added.median <= 1 });
  const proxyCpu = ratio(proxied, "cpuUs");
  rows.push({ measure: "proxy at half of saturation: CPU per request / nginx proxy_pass", target: "≤ 1.0", unit: "×",
    value: proxyCpu.median, low: proxyCpu.low, high: proxyCpu.high, met: proxyCpu.median <= 1 });
} finally {
  await stopAll();
}
report("http", rows, details);
