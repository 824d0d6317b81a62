// What the gateway says about an answer in its response head: Cache-Status (RFC 9211), Age and the
// x-conciergus-* headers.

export type CacheOutcome = 'hit' | 'stale' | 'collapsed' | 'miss' | 'bypass' | 'unknown';

export interface AnswerHead {
  readonly cache: CacheOutcome;
  /** Why the cache was passed by or what is special about the hit, in the gateway's words. */
  readonly cacheDetail?: string;
  /** Seconds since the stored answer was made. */
  readonly ageSeconds?: number;
  readonly provider?: string;
  readonly model?: string;
  readonly requestId?: string;
  /** US dollars that the provider was not paid. */
  readonly savedDollars?: number;
}

type Parameters = Map<string, string>;

/** Splits at `separator`, but not inside a quoted string. */
function splitOutsideQuotes(text: string, separator: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted && c === '\\') i++;
    else if (c === '"') quoted = !quoted;
    else if (!quoted && c === separator) {
      pieces.push(text.slice(start, i));
      start = i + 1;
    }
  }
  pieces.push(text.slice(start));
  return pieces.map((piece) => piece.trim()).filter((piece) => piece !== '');
}

function unquote(text: string): string {
  return text.startsWith('"') && text.endsWith('"') && text.length > 1
    ? text.slice(1, -1).replace(/\\(.)/g, '$1')
    : text;
}

/** A list such as `name; a; b=1, other; c="x"`, as names with their parameters. */
export function parseParameterList(text: string): { name: string; parameters: Parameters }[] {
  return splitOutsideQuotes(text, ',').map((member) => {
    const [name = '', ...rest] = splitOutsideQuotes(member, ';');
    const parameters: Parameters = new Map();
    for (const parameter of rest) {
      const equals = parameter.indexOf('=');
      const key = (equals < 0 ? parameter : parameter.slice(0, equals)).trim().toLowerCase();
      if (!parameters.has(key)) parameters.set(key, equals < 0 ? '' : unquote(parameter.slice(equals + 1).trim()));
    }
    return { name: unquote(name), parameters };
  });
}

function cacheOutcome(parameters: Parameters | undefined): CacheOutcome {
  if (!parameters) return 'unknown';
  if (parameters.has('hit')) {
    return parameters.get('detail')?.startsWith('stale') || Number(parameters.get('ttl') ?? 0) < 0 ? 'stale' : 'hit';
  }
  if (parameters.has('collapsed')) return 'collapsed';
  return parameters.get('fwd') === 'bypass' ? 'bypass' : 'miss';
}

function nonNegative(text: string | null | undefined): number | undefined {
  if (text === null || text === undefined || text.trim() === '') return undefined;
  const number = Number(text);
  return Number.isFinite(number) && number >= 0 ? number : undefined;
}

export function parseAnswerHead(headers: Headers): AnswerHead {
  const ours = parseParameterList(headers.get('cache-status') ?? '').find(
    ({ name }) => name.toLowerCase() === 'conciergus',
  );
  const text = (name: string) => headers.get(name) || undefined;
  const optional = {
    cacheDetail: ours?.parameters.get('detail'),
    ageSeconds: nonNegative(headers.get('age')),
    provider: text('x-conciergus-provider'),
    model: text('x-conciergus-model'),
    requestId: text('x-request-id'),
    savedDollars: nonNegative(headers.get('x-conciergus-saved')),
  };
  return { cache: cacheOutcome(ours?.parameters), ...withoutUndefined(optional) };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}
