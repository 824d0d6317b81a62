import { useEffect, useRef, useSyncExternalStore } from 'react';
import type { ChatSession } from './chat/session';
import { describeAnswer } from './components/AnswerFacts';
import { Composer } from './components/Composer';
import { Conversation } from './components/Conversation';
import { FailureNotice } from './components/FailureNotice';
import { Welcome } from './components/Welcome';

export function App({ session }: { session: ChatSession }) {
  const state = useSyncExternalStore(session.subscribe, session.snapshot);
  const input = useRef<HTMLTextAreaElement>(null);
  const busy = state.status !== 'idle';
  const last = state.messages.at(-1);
  const simulated = state.messages.some(({ head }) => head?.provider === 'simulated');

  const startOver = () => {
    session.newChat();
    input.current?.focus();
  };
  const stop = () => {
    void session.stop();
    input.current?.focus();
  };

  useEffect(() => {
    if (!busy) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape') stop();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  });

  return (
    <div className="page">
      <header>
        <h1>
          <Mark /> Conciergus <span className="muted">demo chat</span>
        </h1>
        <button type="button" onClick={startOver} disabled={state.messages.length === 0}>
          New chat
        </button>
      </header>

      <main>
        {simulated && (
          <p className="notice" role="note">
            These answers come from the <strong>built-in simulation</strong>, not from a language model. Start the
            gateway with <code>OPENAI_API_KEY</code> or <code>ANTHROPIC_API_KEY</code> to talk to a real one.
          </p>
        )}
        {state.messages.length === 0 ? (
          <Welcome onAsk={(question) => void session.send(question)} />
        ) : (
          <Conversation
            messages={state.messages}
            busy={busy}
            waiting={state.status === 'waiting'}
            onRegenerate={() => void session.regenerate()}
            onRepeat={() => void session.repeat()}
          />
        )}
        {state.failure && <FailureNotice failure={state.failure} onRetry={() => void session.retry()} />}
      </main>

      <footer>
        <Composer ref={input} busy={busy} onSend={(text) => void session.send(text)} onStop={stop} />
      </footer>

      <p className="visually-hidden" role="status">
        {busy ? 'Answering.' : last?.role === 'assistant' ? describeAnswer(last) : ''}
      </p>
    </div>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
      <path d="M4 23h24v3H4zM6 21a10 10 0 0 1 20 0zM14.5 6h3v4h-3z" fill="currentColor" />
    </svg>
  );
}
