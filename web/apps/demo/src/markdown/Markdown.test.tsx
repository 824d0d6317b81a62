import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, test } from 'vitest';
import { Markdown } from './Markdown';
import { parseMarkdown } from './parse';

const html = (source: string) =>
  renderToStaticMarkup(<Markdown source={source} />).replace(/^<div class="markdown">|<\/div>$/g, '');

describe('blocks', () => {
  test.each([
    ['one\ntwo\n\nthree', '<p>one\ntwo</p><p>three</p>'],
    ['# Title #', '<h3>Title</h3>'],
    ['###### deep', '<h3>deep</h3>'],
    ['### a\n# b\n### c\n## d', '<h3>a</h3><h3>b</h3><h4>c</h4><h4>d</h4>'],
    ['- a\n- b', '<ul><li>a</li><li>b</li></ul>'],
    ['3. a\n4. b', '<ol start="3"><li>a</li><li>b</li></ol>'],
    ['- a\n  - b\n- c', '<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>'],
    ['1. a\n\n2. b', '<ol start="1"><li>a</li><li>b</li></ol>'],
    ['- a\n\n  more', '<ul><li>a<p>more</p></li></ul>'],
    ['> q\n> r', '<blockquote><p>q\nr</p></blockquote>'],
    ['a\n\n---\n\nb', '<p>a</p><hr/><p>b</p>'],
    ['text\n- item', '<p>text</p><ul><li>item</li></ul>'],
    ['a  \nb', '<p>a<br/>b</p>'],
  ])('%j', (source, expected) => expect(html(source)).toBe(expected));

  test('a fence keeps its text as it is, also without its end', () => {
    expect(parseMarkdown('```cpp\nif (a < b) *p;\n```\nafter')).toEqual([
      { type: 'code', language: 'cpp', text: 'if (a < b) *p;' },
      { type: 'paragraph', children: [{ type: 'text', text: 'after' }] },
    ]);
    expect(parseMarkdown('~~~\nhalf')).toEqual([{ type: 'code', language: '', text: 'half' }]);
  });

  test('a table has its alignments, and a bar in code does not split a cell', () => {
    expect(html('| a | b |\n|:--|--:|\n| `x|y` | 2 |\n| 3 |')).toMatch(
      /<th scope="col" style="text-align:left">a<\/th><th scope="col" style="text-align:right">b<\/th>.*<code>x\|y<\/code>.*<td style="text-align:left">3<\/td><td style="text-align:right"><\/td>/s,
    );
  });
});

describe('inline', () => {
  test.each([
    ['**b** and *i* and ~~d~~', '<strong>b</strong> and <em>i</em> and <del>d</del>'],
    ['***both***', '<strong><em>both</em></strong>'],
    ['**a *b* c**', '<strong>a <em>b</em> c</strong>'],
    ['`a ** b`', '<code>a ** b</code>'],
    ['`` a`b ``', '<code>a`b</code>'],
    ['snake_case_name', 'snake_case_name'],
    ['2 * 3 * 4', '2 * 3 * 4'],
    ['\\*plain\\*', '*plain*'],
    ['**open', '**open'],
    ['a `half', 'a `half'],
  ])('%j', (source, expected) => expect(html(source)).toBe(`<p>${expected}</p>`));

  test('links lead to web pages, in a new tab without a way back', () => {
    const attributes = 'target="_blank" rel="noopener noreferrer nofollow"';
    expect(html('[x](https://a.example/b?c=1&d)')).toBe(`<p><a href="https://a.example/b?c=1&amp;d" ${attributes}>x</a></p>`);
    expect(html('see https://a.example/b.')).toBe(
      `<p>see <a href="https://a.example/b" ${attributes}>https://a.example/b</a>.</p>`,
    );
    expect(html('[x](https://a.example/w_(y) "title")')).toContain('href="https://a.example/w_(y)"');
  });
});

describe('hostile input', () => {
  test.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '**<b onclick=alert(1)>x</b>**',
    '`<svg/onload=alert(1)>`',
    '```html\n<script>alert(1)</script>\n```',
    '| <iframe src=//evil> | b |\n|--|--|\n| <script> | x |',
    '```"><script>alert(1)</script>\ncode\n```',
  ])('markup stays text: %j', (source) => {
    expect(html(source)).not.toMatch(/<(script|img|svg|iframe|b)\b/);
  });

  test.each([
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](java\nscript:alert(1))',
    '[x](&#106;avascript:alert(1))',
    '[x](data:text/html,<script>alert(1)</script>)',
    '[x](vbscript:msgbox)',
    '[x](//evil.example)',
    '[x](file:///etc/passwd)',
    '![x](javascript:alert(1))',
    '[x](\u0001javascript:alert(1))',
  ])('no link to anything but a web page: %j', (source) => {
    expect(html(source)).not.toContain('<a');
  });

  test('a quote in an address cannot leave its attribute', () => {
    expect(html('[x](https://a.example/"onmouseover="alert(1))')).not.toMatch(/<a[^>]*"\s*onmouseover/);
  });

  test.each(['*', '_', '**a ', '[', '](', '`', '> ', '- ', '| a ', '\\', '#', '``` ', '*a **b ', ' \n', '[a](', 'http://'])(
    'a great deal of %j takes no time and never fails',
    (piece) => {
      const started = performance.now();
      parseMarkdown(piece.repeat(20_000));
      parseMarkdown(`${piece}\n`.repeat(5_000));
      expect(performance.now() - started).toBeLessThan(2_000);
    },
  );

  test('every beginning of an answer can be shown', () => {
    const source = '# T\n\nA **b `c` d** [e](https://f.example).\n\n- g\n  1. h\n\n```js\ni\n```\n\n| j | k |\n|---|---|\n| l | m |\n';
    for (let end = 0; end <= source.length; end++) expect(() => html(source.slice(0, end))).not.toThrow();
  });
});
