// One line under each answer: where it came from, how long it took, what that saved.

import type { CacheOutcome } from '../chat/headers';
import type { Message } from '../chat/session';

const outcomes: Record<CacheOutcome, { label: string; title: string }> = {
  hit: { label: 'cache hit', title: 'Answered from the cache; the provider was not called.' },
  stale: { label: 'stale hit', title: 'Answered from the cache past its freshness, because the provider failed.' },
  collapsed: { label: 'shared', title: 'The same question was already being answered; both got one answer.' },
  miss: { label: 'cache miss', title: 'The provider was called.' },
  bypass: { label: 'not cached', title: 'The cache was passed by.' },
  unknown: { label: 'no cache status', title: 'The gateway sent no Cache-Status header.' },
};

export function AnswerFacts({ message }: { message: Message }) {
  const { head, timing, earlier } = message;
  if (!head) return null;
  const outcome = outcomes[head.cache];
  const saved = savings(message);
  return (
    <dl className="facts">
      <Fact name="Cache">
        <span
          className={`badge ${head.cache}`}
          title={head.cacheDetail ? `${outcome.title} (${head.cacheDetail})` : outcome.title}
        >
          {outcome.label}
          {(head.cache === 'hit' || head.cache === 'stale') && head.ageSeconds !== undefined
            ? `, ${formatAge(head.ageSeconds)} old`
            : ''}
        </span>
      </Fact>
      {timing?.firstTextMs !== undefined && (
        <Fact name="First token">
          {formatMs(timing.firstTextMs)}
          {earlier?.firstTextMs !== undefined && <span className="muted"> (was {formatMs(earlier.firstTextMs)})</span>}
        </Fact>
      )}
      {timing?.totalMs !== undefined && (
        <Fact name="Total">
          {formatMs(timing.totalMs)}
          {earlier?.totalMs !== undefined && <span className="muted"> (was {formatMs(earlier.totalMs)})</span>}
        </Fact>
      )}
      {saved && <Fact name="Saved">{saved}</Fact>}
      {(head.model || head.provider) && (
        <Fact name="From">{[...new Set([head.model, head.provider])].filter(Boolean).join(' · ')}</Fact>
      )}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Time and money that the cache saved; without word of the gateway, against the answer this one repeats. */
function savings({ head, savedMs, timing, earlier }: Message): string {
  if (!head || timing?.totalMs === undefined) return '';
  const before = savedMs ?? (head.cache === 'hit' ? earlier?.totalMs : undefined);
  const words: string[] = [];
  if (before !== undefined && before - timing.totalMs >= 1) words.push(formatMs(before - timing.totalMs));
  if (head.savedDollars) words.push(`$${head.savedDollars.toPrecision(2)}`);
  return words.join(', ');
}

/** The same facts as a sentence, for those who hear the page. */
export function describeAnswer(message: Message): string {
  if (message.end === 'stopped') return 'Answer stopped.';
  if (message.end === 'failed') return 'Answer failed.';
  const words = ['Answer complete'];
  if (message.head) words.push(outcomes[message.head.cache].label);
  if (message.timing?.totalMs !== undefined) words.push(formatMs(message.timing.totalMs));
  return `${words.join(', ')}.`;
}

export function formatMs(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

function formatAge(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  return seconds < 3600 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
