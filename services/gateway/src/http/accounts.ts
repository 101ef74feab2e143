import { endSession, normalizeName, openToken, register } from '@parley/protocol';
import { Type } from '@parley/schema';
import type { Static } from '@parley/schema';
import type { HttpApp, HttpOptions } from './app.ts';
import { NewPasswordField, PasswordField, SuccessField, TokenField, UserNameField } from './fields.ts';
import { bearer } from './open-api.ts';
import { bodyErrors, documented, errors, setCookieHeader } from './replies.ts';
import { clearedTokenCookie, tokenCookie } from './tokens.ts';

const tags = ['Accounts'];

const Registered = Type.Object({ status: SuccessField, username: UserNameField });
const LoggedIn = Type.Object({ status: SuccessField, token: TokenField });
const LoggedOut = Type.Object({ status: SuccessField });

/** What needs no token. */
export function openAccountRoutes(app: HttpApp, { bus, addressOf, isSecure }: HttpOptions): void {
  app.post(
    '/api/register',
    {
      schema: {
        operationId: 'register',
        summary: 'Make an account',
        tags,
        body: Type.Object({ username: UserNameField, password: NewPasswordField }),
        response: {
          201: documented(Registered, 'The account is there; log in next.'),
          ...bodyErrors(...register.errors),
        },
      },
    },
    async ({ body, raw, busContext }, reply): Promise<Static<typeof Registered>> => {
      const account = {
        name: normalizeName(body.username),
        password: body.password,
        address: addressOf(raw),
      };
      const { name } = await bus.call(register, account, busContext);
      reply.code(201);
      return { status: 'success', username: name };
    },
  );

  app.post(
    '/api/login',
    {
      schema: {
        operationId: 'login',
        summary: 'Get a token by password',
        description: 'It is good for 30 minutes after its last use, for any number of connections.',
        tags,
        body: Type.Object({ username: UserNameField, password: PasswordField }),
        response: {
          200: documented(LoggedIn, 'The token.', setCookieHeader),
          ...bodyErrors(...openToken.errors),
        },
      },
    },
    async ({ body, raw, busContext }, reply): Promise<Static<typeof LoggedIn>> => {
      const credentials = {
        name: normalizeName(body.username),
        password: body.password,
        address: addressOf(raw),
      };
      const { sessionKey } = await bus.call(openToken, credentials, busContext);
      reply.header('set-cookie', tokenCookie(sessionKey, isSecure(raw)));
      return { status: 'success', token: sessionKey };
    },
  );
}

/** What needs one. */
export function accountRoutes(app: HttpApp, { bus, isSecure }: HttpOptions): void {
  app.post(
    '/api/logout',
    {
      schema: {
        operationId: 'logout',
        summary: 'End the token',
        description: 'Everywhere: the WebSocket connections that were opened with it close with 4003.',
        tags,
        security: [bearer],
        response: {
          200: documented(LoggedOut, 'The token is no longer good.', setCookieHeader),
          ...errors('not_authenticated', ...endSession.errors),
        },
      },
    },
    async ({ raw, busContext }, reply): Promise<Static<typeof LoggedOut>> => {
      await bus.call(endSession, {}, busContext);
      reply.header('set-cookie', clearedTokenCookie(isSecure(raw)));
      return { status: 'success' };
    },
  );
}
