const suggestions = [
  'What does a concierge do, in three sentences?',
  'Write a haiku about a cache hit.',
  'Show a small C++ coroutine and explain it.',
  'Compare TCP and QUIC in a short table.',
];

export function Welcome({ onAsk }: { onAsk: (question: string) => void }) {
  return (
    <section className="welcome" aria-labelledby="welcome">
      <h2 id="welcome">Ask once, then ask again</h2>
      <p>
        The first answer comes from the provider, token by token. Press <strong>Ask again</strong> below it, or ask the
        same in a new chat: the same answer comes from the cache. Under each answer you see where it came from and how
        long it took.
      </p>
      <ul>
        {suggestions.map((question) => (
          <li key={question}>
            <button type="button" onClick={() => onAsk(question)}>
              {question}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
