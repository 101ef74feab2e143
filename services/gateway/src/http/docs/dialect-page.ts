import type { AsyncApi, AsyncApiMessage, AsyncApiOperation } from '@parley/protocol/documents';
import { fieldTable } from './field-table.ts';
import { html, prose } from './markup.ts';
import type { Markup } from './markup.ts';
import { jsonBlock, page, table } from './page.ts';
import type { Section } from './page.ts';

/** The page of a dialect: its requests, the server's frames, error and close codes. */
export function dialectPage(name: string, document: AsyncApi): string {
  const { info, channels, operations, components } = document;
  const requests = Object.values(operations).filter(({ action }) => action === 'receive');
  const frames = Object.entries(components.messages).filter(([key]) => key.startsWith('server.'));
  const unasked = Object.values(operations).filter(({ action }) => action === 'send');
  const notifications = new Set(unasked.flatMap(({ messages }) => messages.map(keyOf)));
  const intro = html`
    <p>${prose(info.description)}</p>
    <p>
      ${prose(channels.connection.description)} Connect to
      <code>ws://localhost:20200${channels.connection.address}</code>. As an AsyncAPI 3.0 document:
      <a href="/docs/${name}.asyncapi.json">${name}.asyncapi.json</a>.
    </p>
  `;
  return page(`/docs/${name}`, intro, [
    { title: 'Requests', sections: requests.map((request) => requestSection(request, document)) },
    {
      title: 'Frames of the server',
      sections: frames.map(([key, message]) => frameSection(key, message, notifications.has(key))),
    },
    { title: 'Codes', sections: [errorSection(document), closeSection(document)] },
  ]);
}

function requestSection(operation: AsyncApiOperation, { components }: AsyncApi): Section {
  const key = keyOf(operation.messages[0]!);
  const message = components.messages[key]!;
  const replies = operation.reply!.messages.map(keyOf);
  const codes = operation['x-errors'] ?? [];
  return {
    id: key,
    title: message.name,
    body: html`
      ${summaryOf(message)} ${fieldTable(message.payload)}
      ${message.examples.map(({ payload }) => jsonBlock('to the server', payload))}
      <p>
        Answered by ${listed(replies.map((reply) => html`<a href="#${reply}">${nameOf(reply)}</a>`))}.
        ${codes.length > 0 ? html`Errors of its own: ${listed(codes.map((code) => html`<code>${code}</code>`))}.` : undefined}
      </p>
    `,
  };
}

function frameSection(key: string, message: AsyncApiMessage, isNotification: boolean): Section {
  return {
    id: key,
    title: message.name,
    body: html`
      ${summaryOf(message)} ${isNotification ? html`<p>It comes unasked, too.</p>` : undefined}
      ${fieldTable(message.payload)}
      ${message.examples.map(({ payload }) => jsonBlock('from the server', payload))}
    `,
  };
}

function summaryOf({ summary, tags = [] }: AsyncApiMessage): Markup {
  const isExtension = tags.some(({ name }) => name === 'extension');
  return html`<p>${isExtension ? html`<em>(ext)</em> ` : undefined}${prose(summary)}</p>`;
}

function errorSection({ 'x-error-codes': codes, 'x-common-errors': common }: AsyncApi): Section {
  const rows = Object.entries(codes).map(([code, { retry, text }]) => [
    html`<code>${code}</code>`,
    retry ? 'yes' : 'no',
    prose(text),
  ]);
  return {
    id: 'error-codes',
    title: 'Error codes',
    body: html`<p>Any request may meet ${listed(common.map((code) => html`<code>${code}</code>`))}.</p>
      ${table(['code', 'try the same again', 'text'], rows)}`,
  };
}

function closeSection({ 'x-close-codes': codes }: AsyncApi): Section {
  const rows = Object.entries(codes).map(([code, { meaning, action }]) => [code, meaning, action]);
  return { id: 'close-codes', title: 'Close codes', body: table(['code', 'meaning', 'what to do'], rows) };
}

function listed(parts: readonly Markup[]): Markup[] {
  return parts.map((part, index) => (index === 0 ? part : html`, ${part}`));
}

function keyOf({ $ref }: { $ref: string }): string {
  return $ref.slice($ref.lastIndexOf('/') + 1);
}

function nameOf(key: string): string {
  return key.slice(key.indexOf('.') + 1);
}
