// A page with `useChat` as an application would write it. Bundled once per major of the AI SDK.
import { useChat } from 'CHAT_REACT';
import { DefaultChatTransport } from 'CHAT_CORE';
import { createRoot } from 'react-dom/client';

const { api, id, resume } = Object.fromEntries(new URLSearchParams(location.search));
const transport = new DefaultChatTransport({ api });

function Page() {
  const chat = useChat({ id, transport, resume: resume === '1' });
  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      void chat.sendMessage({ text: new FormData(event.currentTarget).get('question') });
    }}>
      <input name="question" />
      <button>Send</button>
      <button type="button" id="stop" onClick={() => chat.stop()}>Stop</button>
      <button type="button" id="again" onClick={() => void chat.regenerate()}>Again</button>
      <p id="status">{chat.status}</p>
      <p id="error">{chat.error?.message}</p>
      <ol>
        {chat.messages.map((message) => (
          <li key={message.id} data-role={message.role}>
            {message.parts.map((part) => (part.type === 'text' ? part.text : part.type.startsWith('tool-') || part.type === 'dynamic-tool' ? JSON.stringify(part.input) : '')).join('')}
          </li>
        ))}
      </ol>
    </form>
  );
}

createRoot(document.body.appendChild(document.createElement('div'))).render(<Page />);
