// Upstreams and gateways that live until the end of the test file that started them.

import { after } from 'node:test';
import { bothKinds, configOf } from './config.mjs';
import { Gateway } from './gateway.mjs';
import { Upstream } from './upstream.mjs';

const gateways = [];
const upstreams = [];

// A hook of the whole file: those registered inside other hooks are not run.
after(async () => {
  const ends = await Promise.allSettled(gateways.map((gateway) => gateway.stop()));
  await Promise.all(upstreams.map((upstream) => upstream.stop()));
  const failed = ends.find(({ status }) => status === 'rejected');
  if (failed) throw failed.reason;
});

/** @param {Parameters<typeof Upstream.start>[0]} [behaviour] */
export async function startUpstream(behaviour) {
  const upstream = await Upstream.start(behaviour);
  upstreams.push(upstream);
  return upstream;
}

/** @param {Parameters<typeof Gateway.start>[0]} options */
export async function startGateway(options) {
  const gateway = await Gateway.start(options);
  gateways.push(gateway);
  return gateway;
}

/** One upstream for all protocols, and a gateway in front of it. @param {Partial<import('./config.mjs').Wish>} [wish] */
export async function startPair(wish = {}, behaviour = undefined) {
  const upstream = await startUpstream(behaviour);
  const gateway = await startGateway({ config: configOf({ ...bothKinds(upstream), ...wish }) });
  return { upstream, gateway };
}
