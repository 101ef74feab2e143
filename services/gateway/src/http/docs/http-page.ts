import type { JsonSchema } from '@parley/protocol/documents';
import { fieldTable } from './field-table.ts';
import { html, prose } from './markup.ts';
import type { Markup } from './markup.ts';
import { page, table } from './page.ts';
import type { Section } from './page.ts';

interface Content {
  schema?: JsonSchema;
}

interface Answer {
  description: string;
  content?: Record<string, Content>;
}

interface Operation {
  operationId: string;
  summary: string;
  description?: string;
  security?: unknown[];
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema: JsonSchema }[];
  requestBody?: { content: Record<string, Content> };
  responses: Record<string, Answer>;
}

/** As much of an OpenAPI document as the page shows. */
export interface OpenApi {
  info: { description?: string };
  paths?: Record<string, Record<string, Operation>>;
}

/** The page of the HTTP API. */
export function httpPage({ info, paths = {} }: OpenApi): string {
  const intro = html`
    <p>${prose(info.description ?? '')}</p>
    <p>
      To try it: <a href="/api/docs">/api/docs</a>. As an OpenAPI 3.1 document:
      <a href="/api/openapi.json">openapi.json</a>.
    </p>
  `;
  const sections = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      section(`${method.toUpperCase()} ${path}`, operation),
    ),
  );
  return page('/docs/http', intro, [{ title: 'Requests', sections }]);
}

function section(title: string, operation: Operation): Section {
  const { operationId, summary, description, security, parameters = [], requestBody, responses } = operation;
  return {
    id: operationId,
    title,
    body: html`
      <p>${prose(summary)}. ${security ? 'Needs a token.' : undefined} ${prose(description ?? '')}</p>
      ${parametersOf(parameters)}
      ${
        requestBody &&
        html`<h4>Body</h4>
          ${Object.entries(requestBody.content).map(contentOf)}`
      }
      ${Object.entries(responses).map(answerOf)}
    `,
  };
}

/** Told as the fields of one object. */
function parametersOf(parameters: NonNullable<Operation['parameters']>): Markup | undefined {
  if (parameters.length === 0) return undefined;
  const properties = parameters.map(({ name, schema, in: place, description = schema.description }) => [
    name,
    { ...schema, description: `In the ${place}. ${description ?? ''}` },
  ]);
  const required = parameters.filter((parameter) => parameter.required).map(({ name }) => name);
  const schema: JsonSchema = {
    properties: Object.fromEntries(properties) as Record<string, JsonSchema>,
    required,
  };
  return html`<h4>Parameters</h4>
    ${fieldTable(schema)}`;
}

function contentOf([type, { schema }]: [string, Content]): Markup {
  if (type !== 'application/json' || !schema)
    return html`<p>The file itself, of any <code>Content-Type</code>.</p>`;
  return schema.type === 'array'
    ? html`<p>An array, of each:</p>
        ${fieldTable(schema.items as JsonSchema)}`
    : fieldTable(schema);
}

/** What errors have in common is told by their codes alone. */
function answerOf([status, { description, content = {} }]: [string, Answer]): Markup {
  const isError = Number(status) >= 400;
  return isError
    ? table(['', ''], [[html`<strong>${status}</strong>`, prose(description)]])
    : html`<h4>${status}</h4>
        <p>${prose(description)}</p>
        ${Object.entries(content).map(contentOf)}`;
}
