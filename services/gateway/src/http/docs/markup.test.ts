import { expect, test } from '@jest/globals';
import { html, prose } from './markup.ts';

test('texts are escaped, pieces of HTML are not', () => {
  const piece = html`<b>${'<&>"\''}</b>`;
  expect(piece.html).toBe('<b>&lt;&amp;&gt;&quot;&#39;</b>');
  expect(html`<p title="${'a"b'}">${piece}</p>`.html).toBe(`<p title="a&quot;b">${piece.html}</p>`);
});

test('lists are put one behind the other, numbers are written, undefined is nothing', () => {
  expect(html`${[html`<i></i>`, 'a', [1, undefined]]}${undefined}`.html).toBe('<i></i>a1');
});

test('prose has code and emphasis, and is escaped', () => {
  expect(prose('*(ext)* `a < b`, <script>').html).toBe(
    '<em>(ext)</em> <code>a &lt; b</code>, &lt;script&gt;',
  );
});
