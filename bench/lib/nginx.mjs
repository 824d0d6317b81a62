// The peer: nginx with one worker, a configuration per purpose, everything in a scratch folder.
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Server } from "./process.mjs";

/** `server` is the text inside the server block; `http` stands before it. */
export async function nginx(name, core, port, server, http = "") {
  const folder = mkdtempSync(join(tmpdir(), "conciergus-nginx-"));
  mkdirSync(join(folder, "logs"));
  const file = join(folder, "nginx.conf");
  writeFileSync(
    file,
    `user root; worker_processes 1; daemon off; pid ${folder}/pid; error_log stderr error;
     events { worker_connections 4096; }
     http {
       access_log ${folder}/logs/access.log combined buffer=64k flush=1s;
       client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f;
       uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
       keepalive_requests 100000000; tcp_nodelay on; default_type text/plain;
       ${http.replaceAll("@folder@", folder)}
       server { listen 127.0.0.1:${port} reuseport backlog=4096; ${server} }
     }`,
  );
  return new Server(name, core, "nginx", ["-p", folder, "-c", file]).ready(port);
}
