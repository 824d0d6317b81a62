import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App';
import { ChatClient } from './chat/client';
import { ChatSession } from './chat/session';
import './styles.css';

/** crypto.randomUUID exists only on https and localhost; the page is also opened over plain http in a LAN. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const session = new ChatSession({
  client: new ChatClient(),
  storage: sessionStorage,
  newId,
  now: () => performance.now(),
  // A hidden tab gets no frames, but its answer goes on.
  nextFrame: (publish) => (document.hidden ? setTimeout(publish, 250) : requestAnimationFrame(publish)),
});

window.addEventListener('pagehide', () => session.save());
void session.resume();

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App session={session} />
  </StrictMode>,
);
