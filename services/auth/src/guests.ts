import { isGuest, ParleyError } from '@parley/protocol';
import type {
  Caller,
  ConnectionId,
  ConnectionPlace,
  GatewayId,
  HeldGuest,
  keepGuests,
  openGuest,
  ReplyOf,
  RequestOf,
  User,
  UserName,
} from '@parley/protocol';
import type { RateLimit } from '@parley/service-kit';
import { createGuestKey, guestIdOf } from './guest-keys.ts';
import type { Claim, GuestNames } from './guest-names.ts';
import type { AccountStore } from './store.ts';

export interface GuestsParts {
  accounts: AccountStore;
  guestNames: GuestNames;
  limit: RateLimit;
  limits: { guestsPerAddress: number };
  /** `ALLOW_GUESTS`. */
  areAllowed: boolean;
}

export type Guests = ReturnType<typeof createGuests>;

/** Users without an account, each under a name that nobody else has as long as it is here. */
export function createGuests({ accounts, guestNames, limit, limits, areAllowed }: GuestsParts) {
  async function open({
    name,
    sessionKey: broughtKey,
    address,
    place,
  }: RequestOf<typeof openGuest>): Promise<ReplyOf<typeof openGuest>> {
    if (!areAllowed) {
      const message = 'Guests are not allowed here; log in with an account.';
      throw new ParleyError('forbidden', {}, { message });
    }
    const sessionKey = broughtKey ?? createGuestKey();
    const userId = guestIdOf(sessionKey);
    if (!userId) throw new ParleyError('invalid_credentials');
    // All guests of a gateway that ends come back at once, and are nobody new.
    const isBack = broughtKey !== undefined && (await guestNames.isOf({ userId, name }));
    if (!isBack) await limit(`guest:address:${address}`, limits.guestsPerAddress);
    const claimed = await claim({ userId, name }, place);
    if (claimed === 'account') throw new ParleyError('not_authenticated');
    if (claimed === 'guest') throw new ParleyError('username_taken');
    return { userId, name, sessionKey, ...claimed };
  }

  /** @throws ParleyError `forbidden` where it is another than the caller, or no guest; `username_taken`. */
  async function rename(
    caller: Caller,
    { userId, name }: User,
    newName: UserName,
    place: ConnectionPlace,
  ): Promise<User> {
    if (!isGuest(userId) || userId !== caller.userId) throw new ParleyError('forbidden');
    const renamed = { userId, name: newName };
    if (newName === name) return renamed;
    if (typeof (await claim(renamed, place)) === 'string') throw new ParleyError('username_taken');
    await giveBack({ userId, name, connectionId: place.connectionId });
    return renamed;
  }

  /**
   * Claims the guest's name; answers who has it where another does. Claimed first, then the accounts are looked at: a
   * registration does it the other way round, so that of a guest and an account that want one name at once, one loses.
   */
  async function claim(guest: User, place: ConnectionPlace): Promise<Claim | 'account' | 'guest'> {
    const held = { ...guest, connectionId: place.connectionId };
    const claimed = await guestNames.claim(guest, place);
    try {
      const account = await accounts.find(guest.name);
      if (!account) return claimed ?? 'guest';
    } catch (error) {
      if (claimed) await giveBack(held);
      throw error;
    }
    if (claimed) await giveBack(held);
    return 'account';
  }

  /** Never fails: a claim that nobody keeps ends by itself. */
  async function giveBack(guest: HeldGuest): Promise<void> {
    await guestNames.release(guest).catch(() => {});
  }

  /** Prolongs the guests' claims; those whose name is another's, an account's included, have lost it. */
  async function keep(
    gatewayId: GatewayId,
    guests: readonly HeldGuest[],
  ): Promise<ReplyOf<typeof keepGuests>> {
    const outcomes = await Promise.all(guests.map((guest) => guestNames.keep(guest, gatewayId)));
    const registered = await accounts.findUsers(guests.map(({ name }) => name));
    const registeredNames = new Set(registered.map(({ name }) => name));
    const lost = guests.filter(({ name }, index) => outcomes[index] === 'lost' || registeredNames.has(name));
    const takenOver = guests.filter(
      (guest, index) => outcomes[index] === 'taken over' && !lost.includes(guest),
    );
    await release(lost);
    return { lost: lost.map(connectionOf), takenOver: takenOver.map(connectionOf) };
  }

  async function release(guests: readonly HeldGuest[]): Promise<void> {
    await Promise.all(guests.map((guest) => guestNames.release(guest)));
  }

  return { open, rename, keep, release };
}

function connectionOf({ connectionId }: HeldGuest): ConnectionId {
  return connectionId;
}
