import { Type } from '@parley/schema';
import type { Static } from '@parley/schema';
import { ConnectionId, GatewayId, SessionId, UserId } from '../ids.ts';
import { Address, ConnectionPlace, LeaseReply, User } from '../models.ts';
import { NewPassword, Password, storableText, UserName } from '../text.ts';
import { method } from './method.ts';

const SessionKey = storableText(1, 256);

/** A session as the gateway binds it to a connection. */
export const Session = Type.Object({
  userId: UserId,
  name: UserName,
  sessionId: SessionId,
  sessionKey: SessionKey,
});

/** Makes an account. */
export const register = method('auth.register', {
  request: Type.Object({ name: UserName, password: NewPassword, address: Address }),
  reply: User,
  errors: ['username_taken', 'rate_limited'],
});

/** Opens a session for a connection of the login dialect, by password, as `LOGIN_POLICY` says. A disabled account is `forbidden`. */
export const logIn = method('auth.logIn', {
  request: Type.Object({ name: UserName, password: Password, address: Address, place: ConnectionPlace }),
  reply: Session,
  errors: ['invalid_credentials', 'already_logged_in', 'forbidden', 'rate_limited'],
});

/** Opens a session by password that is bound to no connection: as many may use it as like to. */
export const openToken = method('auth.openToken', {
  request: Type.Object({ name: UserName, password: Password, address: Address }),
  reply: Session,
  errors: ['invalid_credentials', 'forbidden', 'rate_limited'],
});

/** Whose session it is; prolongs it. */
export const findSession = method('auth.findSession', {
  request: Type.Object({ sessionKey: SessionKey }),
  reply: Type.Object({ userId: UserId, name: UserName, sessionId: SessionId }),
  errors: ['not_authenticated'],
});

/**
 * Binds an open session to another connection; its former connection is told to go. Under every policy but `multi` the
 * user's other sessions of the login dialect end.
 */
export const resumeSession = method('auth.resumeSession', {
  request: Type.Object({ name: UserName, sessionKey: SessionKey, address: Address, place: ConnectionPlace }),
  reply: Session,
  errors: ['invalid_credentials', 'forbidden', 'rate_limited'],
});

/** Ends the caller's session everywhere. */
export const endSession = method('auth.endSession', { request: Type.Object({}), reply: Type.Object({}) });

/** The connections are gone; their users may log in elsewhere at once. */
export const releaseConnections = method('auth.releaseConnections', {
  request: Type.Object({
    connections: Type.Array(Type.Object({ userId: UserId, place: ConnectionPlace }), { maxItems: 1_000 }),
  }),
  reply: Type.Object({}),
});

/**
 * Prolongs the gateway's lease on its connections. `known: false`: the lease was lost meanwhile (the gateway was
 * frozen, or Redis emptied) and its sessions need a look.
 */
export const renewConnectionLease = method('auth.renewConnectionLease', {
  request: Type.Object({ gatewayId: GatewayId }),
  reply: LeaseReply,
});

/**
 * Keeps the sessions of open connections alive; answers with those that are no more, or that a connection other than the
 * one named has taken over.
 */
export const touchSessions = method('auth.touchSessions', {
  request: Type.Object({
    sessions: Type.Array(Type.Object({ sessionId: SessionId, connectionId: Type.Optional(ConnectionId) }), {
      maxItems: 1_000,
    }),
  }),
  reply: Type.Object({ ended: Type.Array(SessionId) }),
});

/** Accounts by name; unknown names are left out. */
export const findUsers = method('auth.findUsers', {
  request: Type.Object({ names: Type.Array(UserName, { maxItems: 1_000 }) }),
  reply: Type.Object({ users: Type.Array(User) }),
});

/**
 * Makes a guest, or finds it again by its key: its id is made of the key, so nothing is stored of it. It keeps its name as
 * long as it is kept by its gateway. An account's name is `not_authenticated`, that of another guest who is here
 * `username_taken`, what can't be a key `invalid_credentials`.
 */
export const openGuest = method('auth.openGuest', {
  request: Type.Object({
    name: UserName,
    sessionKey: Type.Optional(SessionKey),
    address: Address,
    place: ConnectionPlace,
  }),
  reply: Type.Object({
    ...User.properties,
    sessionKey: SessionKey,
    /** The same guest's connection that had the name until now. */
    former: Type.Optional(ConnectionPlace),
  }),
  errors: ['username_taken', 'not_authenticated', 'invalid_credentials', 'forbidden', 'rate_limited'],
});

/** Gives the guest, who has to be the one that asks, another name, and the former one free. Anybody else's is `forbidden`. */
export const renameGuest = method('auth.renameGuest', {
  request: Type.Object({ guest: User, newName: UserName, place: ConnectionPlace }),
  reply: User,
  errors: ['username_taken', 'not_authenticated', 'forbidden'],
});

/** A guest with the connection that has its name: a former one of the same guest has it no more. */
export const HeldGuest = Type.Object({ ...User.properties, connectionId: ConnectionId });
export type HeldGuest = Static<typeof HeldGuest>;

const guests = Type.Array(HeldGuest, { maxItems: 1_000 });

/** The guests are still here; answers with the connections that have their name no more. */
export const keepGuests = method('auth.keepGuests', {
  request: Type.Object({ gatewayId: GatewayId, guests }),
  reply: Type.Object({
    /** It is somebody else's. */
    lost: Type.Array(ConnectionId),
    /** The same guest has it on another connection. */
    takenOver: Type.Array(ConnectionId),
  }),
});

/** The guests' connections are gone; their names are free at once. */
export const releaseGuests = method('auth.releaseGuests', {
  request: Type.Object({ guests }),
  reply: Type.Object({}),
});

/** What an account may do beyond its own: an `admin` may delete any public room. */
export const AccountRole = Type.Union([Type.Literal('member'), Type.Literal('admin')]);
export type AccountRole = Static<typeof AccountRole>;

/** Guests are members. */
export const findRole = method('auth.findRole', {
  request: Type.Object({ userId: UserId }),
  reply: Type.Object({ role: AccountRole }),
});
