import { html } from './markup.ts';
import type { Markup } from './markup.ts';

/** The pages, by their place below `/docs`. */
export const pages = [
  { path: '/docs', title: 'Protocol' },
  { path: '/docs/login', title: 'Login dialect' },
  { path: '/docs/identify', title: 'Identify dialect' },
  { path: '/docs/join', title: 'Join dialect' },
  { path: '/docs/http', title: 'HTTP API' },
] as const;

export interface Section {
  id: string;
  title: string;
  body: Markup;
}

/** Sections under a heading of their own. */
export interface Part {
  title: string;
  sections: readonly Section[];
}

/** One page with its parts, and before them a list of their sections. */
export function page(path: string, intro: Markup, parts: readonly Part[]): string {
  const title = pages.find((each) => each.path === path)!.title;
  const { html: text } = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Parley: ${title}</title>
        <link rel="stylesheet" href="/docs/style.css" />
      </head>
      <body>
        <nav aria-label="Pages">${pages.map((each) => link(each, path))}</nav>
        <main>
          <h1>${title}</h1>
          ${intro} ${parts.map(contents)} ${parts.map(partMarkup)}
        </main>
      </body>
    </html>`;
  return text;
}

function link({ path, title }: (typeof pages)[number], current: string): Markup {
  return path === current
    ? html`<a href="${path}" aria-current="page">${title}</a> `
    : html`<a href="${path}">${title}</a> `;
}

function contents({ title, sections }: Part): Markup {
  return html`<p class="part">${title}</p>
    <ul class="contents">
      ${sections.map(({ id, title: name }) => html`<li><a href="#${id}">${name}</a></li>`)}
    </ul>`;
}

function partMarkup({ title, sections }: Part): Markup {
  return html`<h2>${title}</h2>
    ${sections.map(sectionMarkup)}`;
}

function sectionMarkup({ id, title, body }: Section): Markup {
  return html`<section id="${id}">
    <h3><a href="#${id}">${title}</a></h3>
    ${body}
  </section>`;
}

/** A table; nothing where it has no rows. */
export function table(head: readonly string[], rows: readonly (readonly (Markup | string)[])[]): Markup {
  if (rows.length === 0) return html``;
  return html`<div class="table">
    <table>
      <thead>
        <tr>
          ${head.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (cells) =>
            html`<tr>
              ${cells.map((cell) => html`<td>${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** JSON as it goes over the wire, in lines that can be read. */
export function jsonBlock(label: string, value: unknown): Markup {
  return html`<figure>
    <figcaption>${label}</figcaption>
    <pre tabindex="0"><code>${JSON.stringify(value, undefined, 2)}</code></pre>
  </figure>`;
}
