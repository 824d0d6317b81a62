import { useEffect, useState } from 'react';
import type { Failure } from '../chat/session';

export function FailureNotice({ failure, onRetry }: { failure: Failure; onRetry: () => void }) {
  const seconds = useSecondsUntil(failure.retryAt);
  return (
    <div className="failure" role="alert">
      <p>{failure.message}</p>
      <button type="button" onClick={onRetry}>
        Retry
      </button>
      {/* Outside the alert's words: a count-down must not be read out every second. */}
      {seconds > 0 && <span className="muted" aria-hidden="true">{`worth trying in ${seconds} s`}</span>}
      {failure.requestId && <code className="muted">{failure.requestId}</code>}
    </div>
  );
}

function useSecondsUntil(time: number | undefined): number {
  const left = () => (time === undefined ? 0 : Math.max(0, Math.ceil((time - Date.now()) / 1000)));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    if (time === undefined) return;
    const timer = setInterval(() => setSeconds(left()), 500);
    return () => clearInterval(timer);
  }, [time]);
  return seconds;
}
