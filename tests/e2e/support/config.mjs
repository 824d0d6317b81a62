// The one place that knows how the gateway's configuration file looks.

import { createHash } from 'node:crypto';

/**
 * @typedef {object} Wish
 * @property {{name: string, url: string, kind?: 'openai' | 'anthropic'}[]} upstreams
 * @property {Record<string, string[]>} [models]   pattern → names of upstreams, in order of trial
 * @property {string} [defaultModel]               for /api/chat
 * @property {Record<string, string>} [timeouts]   connect, headers, first_content, stall, total
 * @property {Record<string, unknown>} [cache]     policy, ttl, short_ttl, coalesce, tool_calls …
 * @property {'cancel' | 'drain'} [onDisconnect]
 * @property {{v1?: boolean, window?: string}} [resume]
 * @property {{name: string, key: string}[]} [tenants]
 * @property {Record<string, unknown>} [llm]       anything else of that section
 * @property {Record<string, unknown>} [server]
 * @property {string} [app]                        address of an application to proxy
 */

/** The configuration file for a gateway in front of scripted upstreams. @param {Wish} wish */
export function configOf(wish) {
  const target = (provider) => ({ provider });
  return toml({
    server: wish.server,
    app: wish.app && { url: wish.app },
    llm: {
      default_model: wish.defaultModel ?? 'gpt-test',
      on_disconnect: wish.onDisconnect,
      ...wish.llm,
      providers: Object.fromEntries(wish.upstreams.map(({ name, url, kind = 'openai' }) => [name, { kind, base_url: url, keys: [`sk-${name}`] }])),
      models: Object.entries(wish.models ?? { '*': [wish.upstreams[0].name] }).map(([pattern, names]) => ({ pattern, targets: names.map(target) })),
      timeouts: wish.timeouts,
      cache: wish.cache,
      resume: wish.resume,
      tenants: wish.tenants && {
        keys: wish.tenants.map(({ name, key }) => ({ name, sha256: createHash('sha256').update(key).digest('hex') })),
      },
    },
  });
}

/** One upstream for OpenAI's protocols and Anthropic's: the usual arrangement of a test. */
export function bothKinds(upstream, second) {
  const upstreams = [
    { name: 'openai', url: upstream.url },
    { name: 'anthropic', url: upstream.origin, kind: 'anthropic' },
  ];
  const models = { 'claude-*': ['anthropic'], '*': ['openai'] };
  if (second) {
    upstreams.push({ name: 'openai-2', url: second.url }, { name: 'anthropic-2', url: second.origin, kind: 'anthropic' });
    models['claude-*'].push('anthropic-2');
    models['*'].push('openai-2');
  }
  return { upstreams, models };
}

/** Enough of TOML for plain objects: values first, then tables, then arrays of tables. */
export function toml(object, path = '') {
  const lines = [];
  const later = [];
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined) continue;
    const name = path ? `${path}.${key}` : key;
    if (Array.isArray(value) && value.some((item) => typeof item === 'object')) {
      for (const item of value) later.push(`\n[[${name}]]\n${toml(item, name)}`);
    } else if (typeof value === 'object' && !Array.isArray(value)) {
      later.push(`\n[${name}]\n${toml(value, name)}`);
    } else {
      lines.push(`${key} = ${JSON.stringify(value)}\n`);
    }
  }
  return lines.join('') + later.join('');
}
