import { Agent, request as sendRequest } from 'node:http';
import { errorCodes, isErrorCode, parseJson } from '@parley/protocol';
import { Vocabulary } from '../generation/vocabulary.ts';
import { logInOverHttp, newName, newPassword } from './accounts.ts';
import { HttpSource } from './http-source.ts';
import type { HttpRequest } from './http-source.ts';
import { problemWith } from './ledger.ts';
import { patienceMs } from './part.ts';
import type { PartContext } from './part.ts';

const requestsAtATime = 6;

/** Requests to every route of the API's own document, and beside them. */
export async function fuzzHttp(context: PartContext): Promise<void> {
  const { system, secrets } = context;
  const { url } = system.gateway;
  const document = (await (await fetch(`${url}/api/openapi.json`)).json()) as object;
  const account = { name: newName(), password: newPassword(secrets) };
  const token = await logInOverHttp(url, account, secrets);
  const vocabulary = new Vocabulary(context.vocabulary);
  vocabulary.learn('user', account.name);
  vocabulary.learn('password', account.password);
  await context.budget.prepared();
  const agent = new Agent({ keepAlive: true, maxSockets: requestsAtATime });
  await Promise.all(
    Array.from({ length: requestsAtATime }, async () => {
      const source = new HttpSource(document, context.random.fork(), vocabulary, token);
      while (!context.budget.isOver) {
        context.budget.sent.http += 1;
        await askOnce(context, vocabulary, agent, source.next());
      }
    }),
  );
  agent.destroy();
}

interface Answer {
  status: number;
  contentType: string;
  body: string;
}

async function askOnce(
  { system, findings, secrets }: PartContext,
  vocabulary: Vocabulary,
  agent: Agent,
  asked: HttpRequest,
): Promise<void> {
  const answer = await answerTo(system.gateway.url, agent, asked);
  const problem = answer === undefined ? 'no answer' : problemIn(answer, asked);
  if (problem !== undefined) {
    findings.add({ part: 'http', what: `${asked.route}: ${problem}`, input: [JSON.stringify(asked)] });
  }
  if (
    answer?.status === 200 &&
    asked.method !== 'HEAD' &&
    answer.contentType.startsWith('application/json')
  ) {
    const body = parseJson(answer.body) as { token?: string };
    vocabulary.learnFrom(body);
    if (typeof body.token === 'string') secrets.add(body.token);
  }
}

/** The whole answer; undefined where there is none in time. A connection that was closed meanwhile is one with status 0. */
function answerTo(url: string, agent: Agent, asked: HttpRequest): Promise<Answer | undefined> {
  const { method, path, headers, body } = asked;
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const request = sendRequest({ hostname, port, method, path, headers, agent }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', () => {
        resolve(undefined);
      });
      response.on('end', () => {
        clearTimeout(timer);
        const { statusCode: status = 0, headers: answered } = response;
        const contentType = answered['content-type'] ?? '';
        resolve({ status, contentType, body: Buffer.concat(parts).toString() });
      });
    });
    const timer = setTimeout(() => {
      resolve(undefined);
      request.destroy();
    }, patienceMs);
    request.on('error', () => {
      clearTimeout(timer);
      resolve({ status: 0, contentType: '', body: '' });
    });
    request.end(body);
  });
}

/** What is wrong with an answer. */
function problemIn({ status, contentType, body }: Answer, { method }: HttpRequest): string | undefined {
  if (status >= 500) return `answered with ${status}`;
  if (status < 400 || method === 'HEAD') return undefined;
  if (!contentType.startsWith('application/json'))
    return `${status} with a body of ${contentType || 'no type'}`;
  const { code, message, ...more } = parseJson(body) as Record<string, unknown>;
  if (more['status'] !== 'error') return `${status} without the status "error"`;
  return problemWith({ code, message, action: method }) ?? wrongStatus(code, status);
}

/** 405 and 416 are told with codes of another status. */
const ownStatus = [405, 416];

function wrongStatus(code: unknown, status: number): string | undefined {
  const isRight = isErrorCode(code) && (errorCodes[code].http === status || ownStatus.includes(status));
  return isRight ? undefined : `${String(code)} with the status ${status}`;
}
