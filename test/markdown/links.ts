/** The addresses of a page's links and pictures, Markdown's and HTML's, as they are written. Code has none. */
export function listLinks(page: string): string[] {
  const text = withoutBlocks(page).replaceAll(/`[^`\n]*`/g, '');
  const links = text.matchAll(/\]\(([^)\s]+)\)|(?:href|src)="([^"]+)"/g);
  return [...links].map(([, inMarkdown, inHtml]) => (inMarkdown ?? inHtml)!);
}

/** The anchors that GitHub gives to a page's headings; one that it gave already gets `-1`, then `-2`. */
export function listAnchors(page: string): string[] {
  const timesGiven = new Map<string, number>();
  return [...withoutBlocks(page).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading]) => {
    const anchor = anchorOf(heading!);
    const times = timesGiven.get(anchor) ?? 0;
    timesGiven.set(anchor, times + 1);
    return times === 0 ? anchor : `${anchor}-${times}`;
  });
}

/** Letters, digits, `_` and `-` in lower case, with `-` for each space; of a link its text. */
function anchorOf(heading: string): string {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
    .replaceAll(' ', '-');
}

function withoutBlocks(page: string): string {
  return page.replaceAll(/^( *)```.*?^\1```$/gms, '');
}
