import { createId, ParleyError } from '@parley/protocol';
import type { GatewayId, User, UserId, UserName } from '@parley/protocol';
import type { GuestNames } from './guest-names.ts';
import type { AccountStore } from './store.ts';

export interface GuestsParts {
  accounts: AccountStore;
  guestNames: GuestNames;
  /** `ALLOW_GUESTS`. */
  areAllowed: boolean;
}

export type Guests = ReturnType<typeof createGuests>;

/** Users without an account, each under a name that nobody else has as long as it is here. */
export function createGuests({ accounts, guestNames, areAllowed }: GuestsParts) {
  async function open(name: UserName, gatewayId: GatewayId): Promise<User> {
    if (!areAllowed) {
      const message = 'Guests are not allowed here; log in with an account.';
      throw new ParleyError('forbidden', {}, { message });
    }
    const guest = { userId: createId('guest'), name };
    const obstacle = await claim(guest, gatewayId);
    if (obstacle === 'account') throw new ParleyError('not_authenticated');
    if (obstacle === 'guest') throw new ParleyError('username_taken');
    return guest;
  }

  async function rename(guest: User, newName: UserName, gatewayId: GatewayId): Promise<User> {
    if (newName === guest.name) return guest;
    const renamed = { userId: guest.userId, name: newName };
    if (await claim(renamed, gatewayId)) throw new ParleyError('username_taken');
    await giveBack(guest);
    return renamed;
  }

  /**
   * Claims the guest's name; answers who has it where another does. Claimed first, then the accounts are looked at: a
   * registration does it the other way round, so that of a guest and an account that want one name at once, one loses.
   */
  async function claim(guest: User, gatewayId: GatewayId): Promise<'account' | 'guest' | undefined> {
    const isClaimed = await guestNames.claim(guest, gatewayId);
    try {
      const account = await accounts.find(guest.name);
      if (!account) return isClaimed ? undefined : 'guest';
    } catch (error) {
      if (isClaimed) await giveBack(guest);
      throw error;
    }
    if (isClaimed) await giveBack(guest);
    return 'account';
  }

  /** Never fails: a claim that nobody keeps ends by itself. */
  async function giveBack(guest: User): Promise<void> {
    await guestNames.release(guest).catch(() => {});
  }

  /** Prolongs the guests' claims; answers with the guests whose name is another's, an account's included. */
  async function keep(gatewayId: GatewayId, guests: readonly User[]): Promise<UserId[]> {
    const isKept = await Promise.all(guests.map((guest) => guestNames.keep(guest, gatewayId)));
    const registered = await accounts.findUsers(guests.map(({ name }) => name));
    const registeredNames = new Set(registered.map(({ name }) => name));
    const lost = guests.filter(({ name }, index) => !isKept[index] || registeredNames.has(name));
    await release(lost);
    return lost.map(({ userId }) => userId);
  }

  async function release(guests: readonly User[]): Promise<void> {
    await Promise.all(guests.map((guest) => guestNames.release(guest)));
  }

  return { open, rename, keep, release };
}
