import type { JsonSchema } from '@parley/protocol/documents';
import { html, prose } from './markup.ts';
import type { Markup } from './markup.ts';
import { table } from './page.ts';

/** The fields of an object, those of objects within it behind their parent. */
export function fieldTable(schema: JsonSchema): Markup {
  return table(['field', 'type', '', 'meaning'], rowsOf(schema, ''));
}

function rowsOf(schema: JsonSchema, prefix: string): Markup[][] {
  const { properties = {}, required = [] } = schema;
  return Object.entries(properties).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const row = [
      html`<code>${path}</code>`,
      html`${typeOf(field)}`,
      html`${required.includes(name) ? '' : 'optional'}`,
      meaningOf(field),
    ];
    const items = Array.isArray(field.items) ? undefined : field.items;
    return [row, ...rowsOf(field, `${path}.`), ...(items ? rowsOf(items, `${path}[].`) : [])];
  });
}

function meaningOf({ description = '', const: constant, enum: values }: JsonSchema): Markup {
  if (constant !== undefined) return html`<code>${JSON.stringify(constant)}</code>`;
  if (!values) return prose(description);
  const choices = values.map((value) => html` <code>${JSON.stringify(value)}</code>`);
  return html`${prose(description)} ${description === '' ? undefined : 'One of'}${choices}`;
}

function typeOf(schema: JsonSchema): string {
  const { type, anyOf, items, additionalProperties, minimum, maximum, minLength, maxLength, maxItems } =
    schema;
  if (anyOf) return anyOf.map(typeOf).join(' or ');
  if (type === 'array') {
    const of = Array.isArray(items) ? items.map(typeOf).join(', ') : items ? typeOf(items) : 'anything';
    return `array of ${of}${range('items', undefined, maxItems)}`;
  }
  if (type === 'object' && typeof additionalProperties === 'object')
    return `map to ${typeOf(additionalProperties)}`;
  return `${type ?? 'string'}${range('', minimum, maximum)}${range('characters', minLength, maxLength)}`;
}

function range(unit: string, from: unknown, to: unknown): string {
  const isBounded = typeof to === 'number' && to < Number.MAX_SAFE_INTEGER;
  if (typeof from === 'number' && isBounded) return `, ${from} to ${to} ${unit}`.trimEnd();
  if (typeof from === 'number') return `, at least ${from} ${unit}`.trimEnd();
  return isBounded ? `, at most ${to} ${unit}`.trimEnd() : '';
}
