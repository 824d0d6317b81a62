// Markdown as answers use it, read into a tree: paragraphs, headings, lists, quotes, fenced code, tables,
// rules; code, strong, emphasis, strike-through and links inside. Raw HTML is text like any other. Every
// input gives a tree, also half of an answer that is still coming in; time is linear in its length.

export type Inline =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'code'; readonly text: string }
  | { readonly type: 'break' }
  | { readonly type: 'strong' | 'em' | 'del'; readonly children: readonly Inline[] }
  | { readonly type: 'link'; readonly href: string; readonly children: readonly Inline[] };

export type Alignment = 'left' | 'center' | 'right' | undefined;

export type Block =
  | { readonly type: 'paragraph'; readonly children: readonly Inline[] }
  | {
      readonly type: 'heading';
      /** As written, 1 to 6. */
      readonly level: number;
      /** In the outline of the whole answer, from 1: never more than one deeper than the heading before. */
      readonly depth: number;
      readonly children: readonly Inline[];
    }
  | { readonly type: 'code'; readonly language: string; readonly text: string }
  | { readonly type: 'quote'; readonly children: readonly Block[] }
  | { readonly type: 'list'; readonly start: number | undefined; readonly items: readonly (readonly Block[])[] }
  | {
      readonly type: 'table';
      readonly align: readonly Alignment[];
      readonly head: readonly (readonly Inline[])[];
      readonly rows: readonly (readonly (readonly Inline[])[])[];
    }
  | { readonly type: 'rule' };

const maxDepth = 8;
const maxLabel = 500;

const fence = /^ {0,3}(`{3,}|~{3,})\s*([^`\s]*)[^`]*$/;
const heading = /^ {0,3}(#{1,6})(?:[ \t]+(.*))?$/;
const rule = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const item = /^( {0,3})([-*+]|\d{1,9}[.)])(?:([ \t]+)(.*))?$/;
const tableRule = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

export function parseMarkdown(source: string): readonly Block[] {
  return parseBlocks(source.replaceAll('\r\n', '\n').replaceAll('\t', '    ').split('\n'), 0, []);
}

/** `outline` holds the levels of the headings that the next one stands under. */
function parseBlocks(lines: readonly string[], depth: number, outline: number[]): readonly Block[] {
  const blocks: Block[] = [];
  let i = 0;
  while (i < lines.length) {
    const line = lines[i]!;
    if (line.trim() === '') {
      i++;
      continue;
    }

    const opening = fence.exec(line);
    if (opening) {
      const mark = opening[1]!;
      const closing = (l: string) => l.trim().startsWith(mark) && l.trim().replaceAll(mark[0]!, '') === '';
      let end = i + 1;
      while (end < lines.length && !closing(lines[end]!)) end++;
      blocks.push({ type: 'code', language: opening[2] ?? '', text: lines.slice(i + 1, end).join('\n') });
      i = end + 1;
      continue;
    }

    const title = heading.exec(line);
    if (title) {
      const text = (title[2] ?? '').replace(/[ \t]#+[ \t]*$/, '');
      const level = title[1]!.length;
      while (outline.length > 0 && outline.at(-1)! >= level) outline.pop();
      outline.push(level);
      blocks.push({ type: 'heading', level, depth: outline.length, children: parseInline(text) });
      i++;
      continue;
    }

    if (rule.test(line)) {
      blocks.push({ type: 'rule' });
      i++;
      continue;
    }

    if (depth < maxDepth && line.trimStart().startsWith('>')) {
      const inner: string[] = [];
      while (i < lines.length && lines[i]!.trimStart().startsWith('>')) {
        inner.push(lines[i]!.trimStart().slice(1).replace(/^ /, ''));
        i++;
      }
      blocks.push({ type: 'quote', children: parseBlocks(inner, depth + 1, outline) });
      continue;
    }

    if (depth < maxDepth && item.test(line)) {
      const [list, next] = parseList(lines, i, depth, outline);
      blocks.push(list);
      i = next;
      continue;
    }

    if (line.includes('|') && i + 1 < lines.length && tableRule.test(lines[i + 1]!)) {
      const head = cells(line);
      const align = cells(lines[i + 1]!).map(alignment);
      if (head.length === align.length) {
        i += 2;
        const rows: (readonly Inline[])[][] = [];
        while (i < lines.length && lines[i]!.includes('|')) {
          const row = cells(lines[i]!).map(parseInline);
          rows.push(head.map((_, column) => row[column] ?? []));
          i++;
        }
        blocks.push({ type: 'table', align, head: head.map(parseInline), rows });
        continue;
      }
    }

    const paragraph = [line.trimStart()];
    i++;
    while (i < lines.length && !endsParagraph(lines[i]!)) paragraph.push(lines[i++]!.trimStart());
    blocks.push({ type: 'paragraph', children: parseInline(paragraph.join('\n')) });
  }
  return blocks;
}

function endsParagraph(line: string): boolean {
  return (
    line.trim() === '' || fence.test(line) || heading.test(line) || rule.test(line) || item.test(line) ||
    line.trimStart().startsWith('>')
  );
}

function parseList(lines: readonly string[], from: number, depth: number, outline: number[]): [Block, number] {
  const first = item.exec(lines[from]!)!;
  const marker = first[2]!;
  const ordered = marker.length > 1;
  const kind = marker.at(-1)!;
  const items: (readonly Block[])[] = [];

  let i = from;
  while (i < lines.length) {
    const match = item.exec(lines[i]!);
    if (!match || match[2]!.at(-1) !== kind || (match[2]!.length > 1) !== ordered || rule.test(lines[i]!)) break;
    const gap = Math.min(match[3]?.length ?? 1, 4);
    const indent = match[1]!.length + match[2]!.length + gap;
    const inner = [match[4] ?? ''];
    i++;
    // An item goes on with indented lines, and with plain lines right after its text.
    while (i < lines.length) {
      const line = lines[i]!;
      const blank = line.trim() === '';
      const indented = leadingSpaces(line) >= Math.min(indent, 2) && !blank;
      if (blank) {
        const next = lines[i + 1];
        if (next === undefined || leadingSpaces(next) < 2 || next.trim() === '') break;
      } else if (!indented && (endsParagraph(line) || inner.at(-1)?.trim() === '')) {
        break;
      }
      inner.push(line.slice(Math.min(leadingSpaces(line), indent)));
      i++;
    }
    items.push(parseBlocks(inner, depth + 1, outline));
    // One blank line may stand between items.
    if (i + 1 < lines.length && lines[i]!.trim() === '' && item.test(lines[i + 1]!)) i++;
  }
  return [{ type: 'list', start: ordered ? Number.parseInt(marker, 10) : undefined, items }, i];
}

function leadingSpaces(line: string): number {
  return line.length - line.trimStart().length;
}

/** The cells of a table row; `\|` and a bar inside code do not separate. */
function cells(line: string): string[] {
  const row = line.trim().replace(/^\|/, '').replace(/\|$/, '');
  const out: string[] = [];
  let cell = '';
  let code = false;
  for (let i = 0; i < row.length; i++) {
    const c = row[i]!;
    if (c === '\\' && row[i + 1] === '|') {
      cell += '|';
      i++;
    } else if (c === '|' && !code) {
      out.push(cell.trim());
      cell = '';
    } else {
      if (c === '`') code = !code;
      cell += c;
    }
  }
  out.push(cell.trim());
  return out;
}

function alignment(cell: string): Alignment {
  if (cell.endsWith(':')) return cell.startsWith(':') ? 'center' : 'right';
  return cell.startsWith(':') ? 'left' : undefined;
}

/** Only addresses that lead to a web page; `javascript:`, `data:` and the like are not links. */
export function safeHref(text: string): string | undefined {
  try {
    const url = new URL(text);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : undefined;
  } catch {
    return undefined;
  }
}

export function parseInline(text: string): readonly Inline[] {
  return new InlineParser(text).parse(0);
}

const delimiters = [
  { mark: '**', type: 'strong' },
  { mark: '__', type: 'strong' },
  { mark: '~~', type: 'del' },
  { mark: '*', type: 'em' },
  { mark: '_', type: 'em' },
] as const;

const word = /[\p{L}\p{N}]/u;
const bareLink = /https?:\/\/[^\s<>()"'`*]+[^\s<>()"'`*.,:;!?\]]/y;

class InlineParser {
  readonly #text: string;
  /** Marks with no closing partner in the rest of the text: looking again would cost quadratic time. */
  readonly #unclosed = new Set<string>();

  constructor(text: string) {
    this.#text = text;
  }

  parse(depth: number): readonly Inline[] {
    const out: Inline[] = [];
    const text = this.#text;
    let plain = '';
    const flush = () => {
      if (plain) out.push({ type: 'text', text: plain });
      plain = '';
    };

    let i = 0;
    while (i < text.length) {
      const c = text[i]!;
      if (c === '\\' && i + 1 < text.length && /[\\`*_{}[\]()#+\-.!~|<>]/.test(text[i + 1]!)) {
        plain += text[i + 1];
        i += 2;
        continue;
      }
      if (c === '\n') {
        const hard = plain.endsWith('  ') || plain.endsWith('\\');
        plain = plain.endsWith('\\') ? plain.slice(0, -1) : plain.trimEnd();
        if (!hard) plain += '\n';
        flush();
        if (hard) out.push({ type: 'break' });
        i++;
        continue;
      }
      const found = this.#code(i) ?? (depth < maxDepth ? (this.#link(i, depth) ?? this.#delimited(i, depth)) : undefined);
      if (found) {
        flush();
        out.push(found.node);
        i = found.next;
        continue;
      }
      if (c === '`' || c === '*' || c === '_' || c === '~') {
        const run = runLength(text, i);
        plain += text.slice(i, i + run);
        i += run;
        continue;
      }
      plain += c;
      i++;
    }
    flush();
    return out;
  }

  #code(at: number): { node: Inline; next: number } | undefined {
    const text = this.#text;
    if (text[at] !== '`') return undefined;
    const mark = '`'.repeat(runLength(text, at));
    const start = at + mark.length;
    if (this.#unclosed.has(mark)) return undefined;
    for (let end = text.indexOf(mark, start); end >= 0; end = text.indexOf(mark, end)) {
      const run = runLength(text, end);
      if (run === mark.length) {
        const inner = text.slice(start, end).replaceAll('\n', ' ');
        const padded = inner.startsWith(' ') && inner.endsWith(' ') && inner.trim() !== '';
        return { node: { type: 'code', text: padded ? inner.slice(1, -1) : inner }, next: end + run };
      }
      end += run;
    }
    this.#unclosed.add(mark);
    return undefined;
  }

  #delimited(at: number, depth: number): { node: Inline; next: number } | undefined {
    const text = this.#text;
    for (const { mark, type } of delimiters) {
      if (!text.startsWith(mark, at) || this.#unclosed.has(mark)) continue;
      const start = at + mark.length;
      const after = text[start];
      if (after === undefined || /\s/.test(after)) continue;
      if (mark[0] === '_' && at > 0 && word.test(text[at - 1]!)) continue; // snake_case
      const end = this.#closing(mark, start);
      if (end === undefined) continue;
      const children = new InlineParser(text.slice(start, end)).parse(depth + 1);
      return { node: { type, children }, next: end + mark.length };
    }
    return undefined;
  }

  #closing(mark: string, start: number): number | undefined {
    const text = this.#text;
    for (let end = text.indexOf(mark, start + 1); end >= 0; end = text.indexOf(mark, end)) {
      const run = runLength(text, end);
      const opensNext = /\s/.test(text[end - 1]!);
      const insideWord = mark[0] === '_' && word.test(text[end + run] ?? '');
      const escaped = text[end - 1] === '\\';
      if (run >= mark.length && (run === mark.length || run === 3) && !opensNext && !insideWord && !escaped) {
        return end + run - mark.length;
      }
      end += run;
    }
    this.#unclosed.add(mark);
    return undefined;
  }

  #link(at: number, depth: number): { node: Inline; next: number } | undefined {
    const text = this.#text;
    const c = text[at];
    if (c === 'h') {
      if (at > 0 && word.test(text[at - 1]!)) return undefined;
      bareLink.lastIndex = at;
      const bare = bareLink.exec(text)?.[0];
      const href = bare && safeHref(bare);
      return href
        ? { node: { type: 'link', href, children: [{ type: 'text', text: bare }] }, next: at + bare.length }
        : undefined;
    }
    const open = c === '[' ? at : c === '!' && text[at + 1] === '[' ? at + 1 : -1;
    if (open < 0) return undefined;
    const label = text.slice(open + 1, open + 1 + maxLabel);
    const length = label.indexOf('](');
    if (length < 0) return undefined;
    const inner = label.slice(0, length);
    if (inner.includes('[')) return undefined;
    const middle = open + 1 + length;
    const target = /^<?([^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+"[^"\n]*")?\s*\)/.exec(
      text.slice(middle + 2, middle + 2 + 2100),
    );
    const href = target && safeHref(target[1]!);
    if (!target || !href) return undefined;
    const children = new InlineParser(inner).parse(depth + 1);
    return { node: { type: 'link', href, children }, next: middle + 2 + target[0].length };
  }
}

function runLength(text: string, at: number): number {
  let end = at;
  while (text[end] === text[at]) end++;
  return end - at;
}
