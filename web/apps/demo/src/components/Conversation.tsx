import { memo, useEffect, useRef } from 'react';
import type { Message } from '../chat/session';
import { Markdown } from '../markdown/Markdown';
import { AnswerFacts } from './AnswerFacts';

interface Props {
  messages: readonly Message[];
  busy: boolean;
  waiting: boolean;
  onRegenerate: () => void;
  onRepeat: () => void;
}

export function Conversation({ messages, busy, waiting, onRegenerate, onRepeat }: Props) {
  useFollowEnd(messages);
  const last = messages.at(-1);
  return (
    <div className="conversation" role="log" aria-label="Conversation" aria-busy={busy}>
      <h2 className="visually-hidden">Conversation</h2>
      {messages.map((message) => (
        <MessageView key={message.id} message={message} />
      ))}
      {waiting && (
        <p className="thinking" aria-hidden="true">
          <i />
          <i />
          <i />
        </p>
      )}
      {!busy && last?.role === 'assistant' && (
        <div className="actions">
          <button type="button" className="quiet" onClick={onRepeat} title="Send the same request once more">
            Ask again
          </button>
          <button type="button" className="quiet" onClick={onRegenerate} title="Ask the provider, not the cache">
            Regenerate
          </button>
        </div>
      )}
    </div>
  );
}

const MessageView = memo(function MessageView({ message }: { message: Message }) {
  if (message.role === 'user') {
    return (
      <article className="user" aria-label="You">
        <p>{message.text}</p>
      </article>
    );
  }
  return (
    <article className="assistant" aria-label="Answer">
      {message.reasoning && (
        <details className="reasoning">
          <summary>Reasoning</summary>
          <Markdown source={message.reasoning} />
        </details>
      )}
      <Markdown source={message.text} />
      {message.end === 'stopped' && <p className="muted">Stopped.</p>}
      <AnswerFacts message={message} />
    </article>
  );
});

/** Keeps the end in view while an answer grows, unless the reader has scrolled away from it. */
function useFollowEnd(messages: readonly Message[]): void {
  const following = useRef(true);
  useEffect(() => {
    const onScroll = () => {
      const page = document.documentElement;
      following.current = page.scrollHeight - page.clientHeight - page.scrollTop < 80;
    };
    window.addEventListener('scroll', onScroll, { passive: true });
    return () => window.removeEventListener('scroll', onScroll);
  }, []);

  const count = messages.length;
  useEffect(() => {
    following.current = true; // whoever asks wants to see the answer
  }, [count]);
  useEffect(() => {
    if (following.current) window.scrollTo({ top: document.documentElement.scrollHeight });
  }, [messages]);
}
