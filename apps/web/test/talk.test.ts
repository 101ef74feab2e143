import { expect, test } from '@jest/globals';
import { until } from '@parley/test-kit';
import { describeInBrowser } from './stage.ts';
import type { WebClient } from './web-client.ts';

/** The messages on the screen, in their order. */
async function textsOf(client: WebClient): Promise<string[]> {
  return client.page.locator('.message-text').allTextContents();
}

describeInBrowser('in browsers', { gateways: 2 }, (stage) => {
  test('an account and a guest talk, on two gateways; each sees what the other got', async () => {
    await using ada = await stage.open();
    await using robin = await stage.open({ gateway: 1 });
    await ada.register('Ada');
    await ada.createRoom('tea', 'Public');
    await ada.say('Kettle is on');
    await ada.page.getByRole('img', { name: 'Sent' }).waitFor();
    await robin.enterAsGuest('Robin');

    // A public room can be read before it is joined.
    await robin.openRoom('tea');
    await robin.hears('Kettle is on');
    expect(await robin.composer.count()).toBe(0);
    await robin.button('Join room').click();
    await robin.say('On my way');
    await ada.hears('On my way');
    await ada.say('Milk?');
    await robin.hears('Milk?');
    await ada.roomLink('tea').getByText('2 here now').waitFor();
    expect(await textsOf(robin)).toEqual(['Kettle is on', 'On my way', 'Milk?']);
    await robin.page.getByRole('img', { name: 'Delivered to Ada' }).waitFor();
  });

  test('who was cut off gets what was said meanwhile, and what it said itself gets through, once and in order', async () => {
    const [gateway] = stage.parley.stack.gateways;
    await using ben = await stage.open();
    await using cleo = await stage.open({ gateway: 1 });
    await ben.register('Ben');
    await ben.createRoom('harbour', 'Public');
    await ben.say('one');
    await ben.page.getByRole('img', { name: 'Sent' }).waitFor();
    await cleo.enterAsGuest('Cleo');
    await cleo.openRoom('harbour');
    await cleo.button('Join room').click();
    await cleo.composer.waitFor();

    await gateway!.stop();
    await ben.page.getByText('No connection').waitFor();
    await ben.say('four, sent while away');
    await ben.page.getByRole('img', { name: 'Sending' }).waitFor();
    await cleo.say('two');
    await cleo.say('three');
    await cleo.page.getByRole('img', { name: 'Sent' }).nth(1).waitFor();
    await gateway!.start();
    await cleo.hears('four, sent while away');
    await ben.hears('three');
    await ben.page.getByText('No connection').waitFor({ state: 'detached' });
    for (const each of [ben, cleo]) {
      expect(await textsOf(each)).toEqual(['one', 'two', 'three', 'four, sent while away']);
    }
  });

  test('a reload goes on where one was, as the same user', async () => {
    await using dara = await stage.open();
    await dara.enterAsGuest('Dara');
    await dara.createRoom('reading', 'Public');
    await dara.say('Chapter one');
    await dara.page.getByRole('img', { name: 'Sent' }).waitFor();
    await dara.page.reload();
    await dara.hears('Chapter one');
    await dara.say('Chapter two');
    await dara.page.getByRole('img', { name: 'Sent' }).nth(1).waitFor();
    expect(await dara.page.locator('.message-sender').allTextContents()).toEqual(['Dara']);
  });

  test('what is unread is counted, marked, and read by opening the room', async () => {
    await using emil = await stage.open();
    await using faye = await stage.open({ gateway: 1 });
    await emil.register('Emil');
    await emil.createRoom('swimming', 'Public');
    await emil.createRoom('elsewhere', 'Public');
    await faye.enterAsGuest('Faye');
    await faye.openRoom('swimming');
    await faye.button('Join room').click();
    await faye.say('Is the lake warm yet?');
    await faye.say('18 degrees, says the buoy.');
    await emil.roomLink('swimming').getByText('2 unread').waitFor();
    expect(await emil.page.title()).toBe('(2) Parley');
    await emil.openRoom('swimming');
    await emil.page.getByText('New', { exact: true }).waitFor();
    await until('all is read', async () => (await emil.page.title()) === 'Parley');
    await faye.say('Tomorrow then');
    await emil.hears('Tomorrow then');
    expect(await emil.page.title()).toBe('Parley');
  });

  test('the owner of a private room renames it, invites, removes and deletes; who is concerned is told', async () => {
    await using gita = await stage.open();
    await using hugo = await stage.open({ gateway: 1 });
    await hugo.register('Hugo');
    await gita.register('Gita');
    await gita.createRoom('surprise', 'Private');
    await gita.button('Room details').click();
    const details = gita.page.getByRole('complementary');

    await details.getByLabel('Invite by name').fill('Nobody At All');
    await details.getByRole('button', { name: 'Invite' }).click();
    await details.getByRole('alert').waitFor();
    await details.getByLabel('Invite by name').fill('Hugo');
    await details.getByRole('button', { name: 'Invite' }).click();
    await details.getByText('Hugo').waitFor();
    await hugo.openRoom('surprise');

    await details.getByLabel('Name', { exact: true }).fill('birthday');
    await details.getByRole('button', { name: 'Rename' }).click();
    await hugo.page.getByRole('heading', { name: 'birthday', exact: true }).waitFor();

    await details.getByRole('button', { name: 'Remove Hugo' }).click();
    await hugo.page.getByText('You were removed from birthday.').waitFor();
    await until('it is not in the list', async () => (await hugo.roomLink('birthday').count()) === 0);

    await details.getByLabel('Invite by name').fill('Hugo');
    await details.getByRole('button', { name: 'Invite' }).click();
    await hugo.openRoom('birthday');
    await gita.button('Delete room').click();
    await gita.button('Delete for everybody').click();
    await hugo.page.getByText('The room birthday was deleted by its owner.').waitFor();
    await gita.page.getByRole('heading', { name: 'Pick a room' }).waitFor();
  });

  test('a member leaves; the owner of a room is not offered to', async () => {
    await using ivo = await stage.open();
    await ivo.register('Ivo');
    await ivo.openRoom('tea');
    await ivo.button('Join room').click();
    await ivo.button('Room details').click();
    await ivo.button('Leave room').click();
    await ivo.page.getByRole('heading', { name: 'Pick a room' }).waitFor();
    await ivo.createRoom('own', 'Public');
    await ivo.page.getByRole('complementary').getByText('Owner').waitFor();
    expect(await ivo.button('Leave room').count()).toBe(0);
  });

  test('a guest renames itself; an account is told why it can not', async () => {
    await using june = await stage.open();
    await june.enterAsGuest('June');
    await june.button(/settings/).click();
    await june.page.getByLabel('Your name').fill('Juniper');
    await june.button('Rename').click();
    await june.page.getByRole('navigation').getByText('Juniper').waitFor();
    await june.page.keyboard.press('Escape');
    await june.say('Same person, longer name');
    await june.page.locator('.message-sender').getByText('Juniper').waitFor();

    await using kaya = await stage.open();
    await kaya.register('Kaya');
    await kaya.button(/settings/).click();
    await kaya.page.getByText('The name of an account stays').waitFor();
    expect(await kaya.button('Rename').count()).toBe(0);
  });

  test('what is wrong with a sign-in is told there, and signing out ends the session', async () => {
    await using liam = await stage.open();
    await liam.register('Liam');
    await liam.button(/settings/).click();
    await liam.button('Sign out').click();
    await liam.page.getByRole('radio', { name: 'Sign in' }).check();
    await liam.page.getByLabel('Name', { exact: true }).fill('Liam');
    await liam.page.getByLabel('Password').fill('not the password');
    await liam.button('Sign in').click();
    await liam.page.getByRole('alert').waitFor();
    await liam.page.getByRole('radio', { name: 'Guest' }).check();
    await liam.button('Enter as guest').click();
    await liam.page.getByRole('alert').waitFor();
    await liam.signIn('Liam');
    await liam.button(/settings/).click();
    await liam.button('Sign out').click();
    await liam.page.reload();
    await liam.page.getByRole('heading', { name: 'Welcome to Parley' }).waitFor();
  });

  test('the same session in a second tab takes over, and can be taken back', async () => {
    await using mona = await stage.open();
    await mona.register('Mona');
    const second = await mona.page.context().newPage();
    const kept = await mona.page.evaluate<string>("sessionStorage.getItem('parley.session')");
    await second.addInitScript(`sessionStorage.setItem('parley.session', ${JSON.stringify(kept)})`);
    await second.goto(mona.page.url());
    await second.getByRole('navigation', { name: 'Rooms' }).waitFor();
    await mona.button('Use it here').click();
    await mona.page.getByRole('navigation', { name: 'Rooms' }).waitFor();
    await second.getByRole('button', { name: 'Use it here' }).waitFor();
  });

  test('messages of several lines, links and emoji', async () => {
    await using nils = await stage.open();
    await nils.enterAsGuest('Nils');
    await nils.composer.pressSequentially('see');
    await nils.composer.press('Shift+Enter');
    await nils.composer.pressSequentially('www.example.org ');
    await nils.button('Emoji').click();
    await nils.page.getByRole('combobox').fill('seedling');
    await nils.page.getByRole('option', { name: /seedling/ }).click();
    await until('the emoji is there', async () => (await nils.composer.inputValue()).endsWith('🌱'));
    await nils.page.keyboard.press('Escape');
    await nils.composer.press('Enter');
    await nils.page.getByRole('link', { name: 'www.example.org' }).waitFor();
    expect((await textsOf(nils)).at(-1)).toBe('see\nwww.example.org 🌱');
    expect(await nils.page.getByRole('link').getAttribute('href')).toBe('https://www.example.org');
    expect(await nils.composer.inputValue()).toBe('');
  });

  test('rooms are found by their names', async () => {
    await using olga = await stage.open();
    await olga.enterAsGuest('Olga');
    await olga.roomLink('swimming').waitFor();
    await olga.page.getByRole('searchbox').fill('SWIM');
    await until('one is left', async () => (await olga.page.locator('.room-link').count()) === 1);
    await olga.page.getByRole('searchbox').fill('no such room');
    await olga.page.getByText('No room is called like').waitFor();
  });

  test('who is typing when a room opens is not interrupted', async () => {
    await stage.parley.createPublicRoom('weather', 'quentin');
    await using petra = await stage.open();
    const joining = Promise.withResolvers();
    await petra.page.routeWebSocket(/.*/, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((frame) => {
        const pass = () => {
          server.send(frame);
        };
        if (frame.includes('join_room')) void joining.promise.then(pass);
        else pass();
      });
    });
    await petra.page.reload();
    await petra.enterAsGuest('Petra');
    const search = petra.page.getByRole('searchbox');
    await search.pressSequentially('swim');
    joining.resolve(undefined);
    await petra.composer.waitFor();
    await petra.page.keyboard.type('ming');
    expect([await search.inputValue(), await petra.composer.inputValue()]).toEqual(['swimming', '']);
    await search.clear();
    await petra.openRoom('weather');
    await petra.openRoom('default');
    await petra.page.keyboard.type('hello');
    expect(await petra.composer.inputValue()).toBe('hello');
  });

  test('on a phone the rooms and the room are screens of their own, also to the back button', async () => {
    await using paul = await stage.open({
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    });
    const rooms = paul.page.getByRole('navigation', { name: 'Rooms' });
    await paul.page.getByLabel('Name', { exact: true }).fill('Paul');
    await paul.button('Enter as guest').click();
    await paul.composer.waitFor();
    expect(await rooms.isVisible()).toBe(false);
    await paul.button('Back to the rooms').click();
    await rooms.waitFor();
    await paul.openRoom('tea');
    expect(await rooms.isVisible()).toBe(false);
    await paul.page.goBack();
    await rooms.waitFor();
    const width = await paul.page.evaluate<number>('document.documentElement.scrollWidth');
    expect(width).toBe(390);
  });
});
