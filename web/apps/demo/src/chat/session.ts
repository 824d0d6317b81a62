// The state of one chat and what may be done with it, without React: the page subscribes. What was said
// survives a reload in the tab's session storage; an answer that was running is fetched again.

import { type Answer, ChatClient, ChatError, type TextMessage } from './client';
import type { AnswerHead } from './headers';

export interface Timing {
  /** From asking to the first visible piece of text. */
  readonly firstTextMs?: number;
  readonly totalMs?: number;
}

export interface Message extends TextMessage {
  readonly reasoning?: string;
  readonly head?: AnswerHead;
  /** How long the stored answer took when it was made. */
  readonly savedMs?: number;
  readonly timing?: Timing;
  /** Timing of the answer that this one repeats. */
  readonly earlier?: Timing;
  readonly end?: 'complete' | 'stopped' | 'failed';
}

export interface Failure {
  readonly message: string;
  readonly requestId?: string;
  /** When the gateway said it is worth trying again, as Date.now() counts. */
  readonly retryAt?: number;
}

export interface ChatState {
  readonly chatId: string;
  readonly messages: readonly Message[];
  readonly status: 'idle' | 'waiting' | 'streaming';
  readonly failure?: Failure;
}

export interface Environment {
  readonly client: ChatClient;
  readonly storage: Pick<Storage, 'getItem' | 'setItem'>;
  readonly newId: () => string;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** Runs `publish` before the next frame, so that a fast stream costs one rendering per frame. */
  readonly nextFrame: (publish: () => void) => void;
}

const storageKey = 'conciergus.chat';

export class ChatSession {
  readonly #env: Environment;
  readonly #listeners = new Set<() => void>();
  #state: ChatState;
  #running: AbortController | undefined;
  #publishing = false;
  #published: ChatState;

  constructor(env: Environment) {
    this.#env = env;
    this.#state = restore(env.storage) ?? { chatId: env.newId(), messages: [], status: 'idle' };
    this.#published = this.#state;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): ChatState => this.#published;

  /** Asks a new question; does nothing while an answer is running. */
  send(text: string): Promise<void> {
    if (this.#state.status !== 'idle' || text.trim() === '') return Promise.resolve();
    const question: Message = { id: this.#env.newId(), role: 'user', text: text.trim() };
    return this.#ask([...this.#withoutEmptyAnswer(), question], 'submit-message');
  }

  /** Asks for another answer to the last question. The gateway does not take it from its cache. */
  regenerate(): Promise<void> {
    return this.#again('regenerate-message');
  }

  /** Sends the last question exactly as before: the same request, so that the cache may answer. */
  repeat(): Promise<void> {
    return this.#again('submit-message');
  }

  /** Ends the running answer here and at the provider; what has arrived stays. */
  async stop(): Promise<void> {
    if (!this.#running) return;
    const { chatId } = this.#state;
    this.#running.abort();
    await this.#env.client.stop(chatId).catch(() => undefined); // the page has moved on either way
  }

  /** After a reload: goes on with the answer that was running, if the gateway still has it. */
  async resume(): Promise<void> {
    if (this.#running || !this.#isUnfinished() || (await this.#continue())) return;
    this.#endAnswer('failed');
    this.#set({ failure: { message: 'The answer was interrupted, and the gateway no longer has it.' } });
    this.save();
  }

  /** After a failure: the answer that the connection lost, if there is one to go on with; else asks again. */
  async retry(): Promise<void> {
    if (this.#state.status !== 'idle' || (this.#isUnfinished() && (await this.#continue()))) return;
    await this.repeat();
  }

  newChat(): void {
    this.#running?.abort();
    this.#running = undefined;
    this.#state = { chatId: this.#env.newId(), messages: [], status: 'idle' };
    this.save();
    this.#publish();
  }

  /** Writes the chat to the tab's storage. Called at the end of each answer and when the page is left. */
  save(): void {
    const { chatId, messages } = this.#state;
    try {
      this.#env.storage.setItem(storageKey, JSON.stringify({ chatId, messages }));
    } catch {
      // Storage full or forbidden: the chat works, only a reload forgets it.
    }
  }

  /** Neither complete nor stopped nor failed: its connection was lost, or the page was left. */
  #isUnfinished(): boolean {
    const last = this.#state.messages.at(-1);
    return last !== undefined && last.end === undefined;
  }

  /** Receives the running answer from its beginning; false when the gateway has none. */
  async #continue(): Promise<boolean> {
    let found = true;
    await this.#run(async (signal) => {
      const answer = await this.#env.client.resume(this.#state.chatId, signal);
      found = answer !== undefined;
      if (found) {
        this.#set({ messages: this.#state.messages.filter(({ end, role }) => end !== undefined || role === 'user') });
      }
      return answer;
    });
    return found;
  }

  #again(trigger: 'submit-message' | 'regenerate-message'): Promise<void> {
    if (this.#state.status !== 'idle') return Promise.resolve();
    const { messages } = this.#state;
    const question = messages.findLastIndex(({ role }) => role === 'user');
    if (question < 0) return Promise.resolve();
    const replaced = messages[question + 1];
    return this.#ask(messages.slice(0, question + 1), trigger, replaced);
  }

  #withoutEmptyAnswer(): readonly Message[] {
    const { messages } = this.#state;
    const last = messages.at(-1);
    if (last?.role === 'assistant' && last.text === '') return messages.slice(0, -1);
    return messages;
  }

  #ask(
    messages: readonly Message[],
    trigger: 'submit-message' | 'regenerate-message',
    replaced?: Message,
  ): Promise<void> {
    this.#set({ messages });
    this.save(); // a reload from here on finds an unanswered question, and resumes
    return this.#run((signal) => {
      const { chatId } = this.#state;
      const messageId = trigger === 'regenerate-message' && replaced ? { messageId: replaced.id } : {};
      return this.#env.client.ask({ chatId, messages, trigger, ...messageId }, signal);
    }, replaced?.end === 'complete' ? replaced.timing : undefined);
  }

  async #run(open: (signal: AbortSignal) => Promise<Answer | undefined>, earlier?: Timing): Promise<void> {
    const running = new AbortController();
    this.#running = running;
    const { failure: _, ...rest } = this.#state;
    this.#state = { ...rest, status: 'waiting' };
    this.#publish();
    const asked = this.#env.now();
    try {
      const answer = await open(running.signal);
      if (answer && this.#running === running) await this.#receive(answer, asked, running, earlier);
    } catch (error) {
      if (this.#running !== running) return; // a new chat was begun meanwhile
      if (running.signal.aborted) this.#endAnswer('stopped');
      else this.#fail(error);
    } finally {
      if (this.#running === running) {
        this.#running = undefined;
        this.#set({ status: 'idle' });
        this.save();
      }
    }
  }

  async #receive(answer: Answer, asked: number, running: AbortController, earlier?: Timing): Promise<void> {
    let message: Message = { id: this.#env.newId(), role: 'assistant', text: '', head: answer.head };
    if (earlier) message = { ...message, earlier };
    const before = this.#state.messages;
    this.#set({ status: 'streaming', messages: [...before, message] });

    for await (const part of answer.parts) {
      if (this.#running !== running) return;
      running.signal.throwIfAborted();
      switch (part.type) {
        case 'text':
          if (message.timing === undefined && part.delta !== '') {
            message = { ...message, timing: { firstTextMs: this.#env.now() - asked } };
          }
          message = { ...message, text: message.text + part.delta };
          break;
        case 'reasoning':
          message = { ...message, reasoning: (message.reasoning ?? '') + part.delta };
          break;
        case 'reset':
          message = { ...message, text: '', reasoning: '' };
          break;
        case 'saved':
          message = { ...message, savedMs: part.ms };
          break;
      }
      this.#set({ messages: [...before, message] });
    }
    message = { ...message, end: 'complete', timing: { ...message.timing, totalMs: this.#env.now() - asked } };
    this.#set({ messages: [...before, message] });
  }

  #fail(error: unknown): void {
    const known = error instanceof ChatError ? error : new ChatError('Something went wrong in this page.');
    if (!known.isLost) this.#endAnswer('failed'); // a lost one stays open, so that it can be resumed
    let failure: Failure = { message: known.message };
    if (known.requestId) failure = { ...failure, requestId: known.requestId };
    if (known.retryAfterMs !== undefined) failure = { ...failure, retryAt: Date.now() + known.retryAfterMs };
    this.#set({ failure });
  }

  #endAnswer(end: 'stopped' | 'failed'): void {
    const { messages } = this.#state;
    const last = messages.at(-1);
    if (!last || last.end) return;
    this.#set({ messages: [...messages.slice(0, -1), { ...last, end }] });
  }

  #set(change: Partial<ChatState>): void {
    this.#state = { ...this.#state, ...change };
    if (this.#publishing) return;
    this.#publishing = true;
    this.#env.nextFrame(() => this.#publish());
  }

  #publish(): void {
    this.#publishing = false;
    this.#published = this.#state;
    for (const listener of this.#listeners) listener();
  }
}

function restore(storage: Pick<Storage, 'getItem'>): ChatState | undefined {
  try {
    const stored: unknown = JSON.parse(storage.getItem(storageKey) ?? 'null');
    if (typeof stored !== 'object' || stored === null) return undefined;
    const { chatId, messages } = stored as { chatId?: unknown; messages?: unknown };
    if (typeof chatId !== 'string' || !Array.isArray(messages) || !messages.every(isMessage)) return undefined;
    return { chatId, messages, status: 'idle' };
  } catch {
    return undefined;
  }
}

function isMessage(value: unknown): value is Message {
  if (typeof value !== 'object' || value === null) return false;
  const { id, role, text } = value as Record<string, unknown>;
  return typeof id === 'string' && (role === 'user' || role === 'assistant') && typeof text === 'string';
}
