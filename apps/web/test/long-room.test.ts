import { expect, test } from '@jest/globals';
import { until } from '@parley/test-kit';
import { describeInBrowser } from './stage.ts';

const messages = 10_000;
/** What the page may consist of, however long the room is. */
const maxElements = 1_500;
const maxArticles = 120;

describeInBrowser('a room of 10,000 messages', {}, (stage) => {
  test('is read to its beginning and back with a page that stays small', async () => {
    const writer = await stage.parley.logIn('Writer');
    const { room_id } = await writer.ask('create_room', {
      room_name: 'saga',
      participants: [],
      visibility: 'public',
    });
    const last = writer.upcoming(
      'the last confirmation',
      ({ data }) => data?.client_message_id === `m${messages}`,
    );
    for (let number = 1; number <= messages; number += 1) {
      const data = { room_id, content: `line ${number} of the saga`, client_message_id: `m${number}` };
      writer.send({ action: 'send_message', data });
    }
    await last;

    await using reader = await stage.open();
    const { page } = reader;
    const elements = () => page.evaluate<number>("document.querySelectorAll('*').length");
    await reader.enterAsGuest('Reader');
    await reader.openRoom('saga');
    await reader.button('Join room').click();
    await reader.hears(`line ${messages} of`);
    const scroller = page.getByRole('region', { name: 'Messages in saga' });
    let most = 0;
    const oldest = () => page.locator('.message-text').first().textContent();
    const isAtBeginning = () => page.getByText('This is where the room begins.').isVisible();
    while (!(await isAtBeginning())) {
      const before = await oldest();
      await until('older messages, or the beginning', async () => {
        await scroller.press('Home');
        most = Math.max(most, await elements());
        return (await isAtBeginning()) || (await oldest()) !== before;
      });
    }
    await reader.hears('line 1 of');

    // A hand on the wheel: what is on the screen is without holes, wherever it stops.
    for (let turn = 0; turn < 10; turn += 1) {
      await page.mouse.move(640, 400);
      await page.mouse.wheel(0, 20_000);
      most = Math.max(most, await elements());
      const texts = await page.locator('.message-text').allTextContents();
      const numbers = texts.map((text) => Number(/\d+/.exec(text)![0]));
      expect(numbers).toEqual(numbers.map((_, index) => numbers[0]! + index));
      expect(numbers.length).toBeGreaterThan(5);
      expect(numbers.length).toBeLessThan(maxArticles);
    }
    expect(most).toBeLessThan(maxElements);

    await reader.button('To the newest').click();
    await reader.hears(`line ${messages} of`);
    await writer.ask('send_message', { room_id, content: 'and one more' });
    await page.getByText('and one more').last().waitFor();
  }, 120_000);
});
