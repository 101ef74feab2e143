import type { Plugin } from 'vite';

/** What the picker does with styles that the page's policy forbids, and how the same is allowed: through the CSSOM. */
const replacements = [
  [
    `const style = document.createElement('style');
    style.textContent = baseStyles + EXTRA_STYLES;
    this.shadowRoot.appendChild(style);`,
    `const style = new CSSStyleSheet();
    style.replaceSync(baseStyles + EXTRA_STYLES);
    this.shadowRoot.adoptedStyleSheets = [style];`,
  ],
  [
    'targetNode.setAttribute(attributeName, newValue);',
    `if (attributeName === 'style') targetNode.style.cssText = newValue;
        else targetNode.setAttribute(attributeName, newValue);`,
  ],
] as const;

/** Lets `emoji-picker-element` run under a `style-src` without `unsafe-inline`, which it does not do by itself. */
export function emojiPickerUnderCsp(): Plugin {
  return {
    name: 'emoji-picker-under-csp',
    enforce: 'pre',
    transform(code, id) {
      if (!id.endsWith('/emoji-picker-element/picker.js')) return undefined;
      for (const [original] of replacements) {
        if (!code.includes(original))
          this.error(`emoji-picker-element has changed; it no longer has: ${original}`);
      }
      return replacements.reduce((changed, [original, allowed]) => changed.replace(original, allowed), code);
    },
  };
}
