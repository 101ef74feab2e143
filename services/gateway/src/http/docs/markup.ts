/** A piece of HTML: whatever was put into it is escaped. */
export class Markup {
  readonly html: string;

  private constructor(html: string) {
    this.html = html;
  }

  /** Only for the tag below and for texts of our own code. */
  static trusted(html: string): Markup {
    return new Markup(html);
  }
}

type Part = string | number | Markup | undefined | readonly Part[];

/** HTML of a template: texts are escaped, other pieces go in as they are, lists one behind the other, undefined as nothing. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const pieces = strings.map((text, index) => text + (index < parts.length ? written(parts[index]) : ''));
  return Markup.trusted(pieces.join(''));
}

function written(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Markup) return part.html;
  if (typeof part === 'object') return part.map(written).join('');
  return escaped(String(part));
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}

/** A text of the documents: what Markdown they have is `code` and *emphasis*. */
export function prose(text: string): Markup {
  return Markup.trusted(
    escaped(text)
      .replace(/`([^`]+)`/g, '<code>$1</code>')
      .replace(/\*([^*]+)\*/g, '<em>$1</em>'),
  );
}
