import type { Attack } from './attack.ts';

/** Whose passwords are guessed, one after the other. */
export const guessedNames = Array.from({ length: 20 }, (_, index) => `guessed-${index}`);

/** Guesses passwords of accounts, one guess after the other on each connection. */
export const passwordGuessing: Attack = (attacker, force) => {
  let guesses = 0;
  return attacker.keep(force, async (socket) => {
    while (socket.isOpen) {
      const chatid = guessedNames[guesses % guessedNames.length]!;
      guesses += 1;
      await socket.ask(
        { action: 'login', data: { chatid, password: `guess number ${guesses}` } },
        'login_success',
      );
      await attacker.pause(force.everyMs);
    }
  });
};

/** Becomes one guest after the other. */
export const guestFlood: Attack = (attacker, force) =>
  attacker.keep(force, async (socket) => {
    while (socket.isOpen) {
      const guest = await socket.ask(
        { action: 'login_as_guest', data: { chatid: attacker.newName() } },
        'login_success',
      );
      if (guest === 'login_success') await socket.ask({ action: 'logout' }, 'logout_success');
      await attacker.pause(force.everyMs);
    }
  });

/** Makes one public room after the other, as a guest. */
export const roomFlood: Attack = (attacker, force) =>
  attacker.keep(force, async (socket) => {
    const username = attacker.newName();
    if ((await socket.ask({ action: 'identify', payload: { username } }, 'joined')) !== 'joined') return;
    while (socket.isOpen) {
      await socket.ask({ action: 'createRoom', payload: { room: attacker.newName() } }, 'roomsList');
      await attacker.pause(force.everyMs);
    }
  });

/** Guests who all are told the list of rooms, and who change it all the time: each makes a room, and deletes it. */
export const lobbyCrowd: Attack = (attacker, force) =>
  attacker.keep(force, async (socket) => {
    const username = attacker.newName();
    if ((await socket.ask({ action: 'identify', payload: { username } }, 'joined')) !== 'joined') return;
    while (socket.isOpen) {
      const room = attacker.newName();
      for (const action of ['createRoom', 'deleteRoom']) {
        await attacker.pause(force.everyMs);
        socket.send({ action, payload: { room } });
      }
    }
  });
