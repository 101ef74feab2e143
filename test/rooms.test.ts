import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startParley, until } from '@parley/test-kit';
import type { LoginClient, Parley } from '@parley/test-kit';

let parley: Parley;
let owner: LoginClient;
let member: LoginClient;
let outsider: LoginClient;

beforeAll(async () => {
  parley = await startParley({ gateways: 2 });
  [owner, member, outsider] = await Promise.all([
    parley.logIn('owner123', 0),
    parley.logIn('user456', 1),
    parley.logIn('outsider', 1),
  ]);
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

async function createRoom(participants: string[] = ['user456']): Promise<string> {
  const { room_id } = await owner.ask('create_room', { participants, room_name: 'My Room' });
  for (const client of [member, outsider]) {
    if (participants.includes(client.name))
      await client.next('being added', (frame) => frame.data?.room_id === room_id);
  }
  return room_id;
}

/** Waits until the client has been told, and answers with the frame. */
function told(client: LoginClient, action: string, roomId: string) {
  return client.next(
    `${action} in ${roomId}`,
    (frame) => frame.action === action && frame.data?.room_id === roomId,
  );
}

test('participants are told that they were added, with the room and its owner', async () => {
  const { room_id } = await owner.ask('create_room', { participants: ['user456'], room_name: ' Tee\u0301 ' });
  expect(await told(member, 'user_added', room_id)).toEqual({
    action: 'user_added',
    status: 'success',
    message: 'User added to room successfully',
    data: { room_id, user_added: 'user456', room_name: 'Teé', owner: 'owner123' },
  });
  expect((await member.ask('get_rooms')).rooms).toContainEqual(
    expect.objectContaining({ id: room_id, name: 'Teé' }),
  );
});

test('a room with an unknown participant is not created', async () => {
  const before = (await owner.ask('get_rooms')).rooms;
  const refused = await owner.request('create_room', {
    participants: ['user456', 'ghost', 'phantom'],
    room_name: 'No',
  });
  expect(refused).toMatchObject({ code: 'user_not_found', data: { users: ['ghost', 'phantom'] } });
  expect(refused.message).toContain('ghost');
  expect((await owner.ask('get_rooms')).rooms).toEqual(before);
});

test('only the owner may add, remove, rename and delete; outsiders learn nothing', async () => {
  const room_id = await createRoom();
  const requests: [string, object][] = [
    ['add_user_to_room', { room_id, user_to_add: 'outsider' }],
    ['remove_user_from_room', { room_id, user_to_remove: 'owner123' }],
    ['rename_room', { room_id, new_room_name: 'Mine' }],
    ['delete_room', { room_id }],
  ];
  for (const [action, data] of requests) {
    expect(await member.request(action, data)).toMatchObject({
      action: 'error',
      original_action: action,
      code: 'not_owner',
    });
    expect(await outsider.request(action, data)).toMatchObject({ code: 'not_in_room' });
  }
  for (const action of ['join_room', 'leave_room', 'get_room_users', 'get_messages']) {
    expect(await outsider.request(action, { room_id })).toMatchObject({ code: 'not_in_room' });
  }
  expect(await outsider.request('send_message', { room_id, content: 'psst' })).toMatchObject({
    code: 'not_in_room',
  });
  for (const [action] of requests) {
    const data = {
      room_id: 'room_nowhere',
      user_to_add: 'outsider',
      user_to_remove: 'outsider',
      new_room_name: 'x',
    };
    expect(await owner.request(action, data)).toMatchObject({ code: 'room_not_found' });
  }
  expect(await owner.request('send_message', { room_id: 'nowhere', content: 'x' })).toMatchObject({
    code: 'room_not_found',
  });
});

test('who is added hears the room from then on, who is removed hears nothing more, and all present are told', async () => {
  const room_id = await createRoom();
  await owner.ask('add_user_to_room', { room_id, user_to_add: 'outsider' });
  expect((await told(member, 'user_added', room_id)).data.user_added).toBe('outsider');
  expect((await told(outsider, 'user_added', room_id)).data).toMatchObject({
    user_added: 'outsider',
    owner: 'owner123',
  });
  await owner.ask('send_message', { room_id, content: 'welcome' });
  await told(outsider, 'receive_message', room_id);

  await owner.ask('remove_user_from_room', { room_id, user_to_remove: 'outsider' });
  expect((await told(member, 'user_removed', room_id)).data.user_removed).toBe('outsider');
  expect((await told(outsider, 'user_removed', room_id)).data.user_removed).toBe('outsider');
  expect(await outsider.request('send_message', { room_id, content: 'still here?' })).toMatchObject({
    code: 'not_in_room',
  });
  await owner.ask('send_message', { room_id, content: 'gone' });
  await told(member, 'receive_message', room_id);
  await told(member, 'receive_message', room_id);
  await outsider.ask('get_rooms');
  expect(outsider.messagesOf(room_id)).toEqual([[1, 'welcome']]);
  expect(await owner.request('remove_user_from_room', { room_id, user_to_remove: 'outsider' })).toMatchObject(
    {
      code: 'user_not_found',
    },
  );
});

test('an owner can neither leave nor be removed; a member can leave', async () => {
  const room_id = await createRoom();
  expect(await owner.request('leave_room', { room_id })).toMatchObject({ code: 'forbidden' });
  expect(await owner.request('remove_user_from_room', { room_id, user_to_remove: 'owner123' })).toMatchObject(
    {
      code: 'forbidden',
    },
  );
  expect(await member.ask('leave_room', { room_id })).toEqual({ room_id, chatid: 'user456' });
  expect((await told(owner, 'room_left', room_id)).data.chatid).toBe('user456');
  expect(await member.request('get_messages', { room_id })).toMatchObject({ code: 'not_in_room' });
});

test('renaming and deleting are told to the members present', async () => {
  const room_id = await createRoom();
  await owner.ask('rename_room', { room_id, new_room_name: 'New Room Name' });
  expect((await told(member, 'room_renamed', room_id)).data).toEqual({
    room_id,
    new_room_name: 'New Room Name',
  });
  await owner.ask('delete_room', { room_id });
  expect((await told(member, 'room_deleted', room_id)).data).toEqual({ room_id });
  expect(await member.request('send_message', { room_id, content: 'x' })).toMatchObject({
    code: 'room_not_found',
  });
  expect(await member.request('get_messages', { room_id })).toMatchObject({ code: 'room_not_found' });
});

test('who asked for a change gets its reply only', async () => {
  const room_id = await createRoom();
  await owner.ask('rename_room', { room_id, new_room_name: 'Once' });
  await told(member, 'room_renamed', room_id);
  await owner.ask('get_rooms');
  const frames = owner.received.filter(
    ({ action, data }) => action === 'room_renamed' && data.room_id === room_id,
  );
  expect(frames).toHaveLength(1);
});

test('the users of a room are listed with their roles and whether they are online', async () => {
  await (await parley.logIn('sleeper', 0)).close();
  const room_id = await createRoom(['user456', 'sleeper']);
  await until('sleeper is offline', async () => {
    const { users } = await member.ask('get_room_users', { room_id });
    return !users.find(({ chatid }: any) => chatid === 'sleeper').online;
  });
  const { users, has_more } = await member.ask('get_room_users', { room_id });
  expect(users).toEqual([
    { chatid: 'owner123', online: true, role: 'owner' },
    { chatid: 'sleeper', online: false, role: 'member' },
    { chatid: 'user456', online: true, role: 'member' },
  ]);
  expect(has_more).toBe(false);
  expect((await member.ask('get_room_users', { room_id, after: 'owner123' })).users).toHaveLength(2);
});

test('history is read by time, by id, newest first pages and with a limit', async () => {
  const room_id = await createRoom();
  for (let n = 1; n <= 10; n += 1) await owner.ask('send_message', { room_id, content: `message ${n}` });
  const all = await member.ask('get_messages', { room_id });
  expect(all.messages[0]).toEqual({
    message_id: 1,
    sender_chatid: 'owner123',
    content: 'message 1',
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  });
  const ids = async (data: object) => {
    const { messages, has_more } = await member.ask('get_messages', { room_id, ...data });
    return [messages.map(({ message_id }: any) => message_id), has_more];
  };
  expect(await ids({})).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], false]);
  expect(await ids({ limit: 3 })).toEqual([[8, 9, 10], true]);
  expect(await ids({ before_id: 8, limit: 3 })).toEqual([[5, 6, 7], true]);
  expect(await ids({ before_id: 3 })).toEqual([[1, 2], false]);
  expect(await ids({ after_id: 4, limit: 3 })).toEqual([[5, 6, 7], true]);
  expect(await ids({ after_id: 8 })).toEqual([[9, 10], false]);
  expect(await ids({ limit: 5_000 })).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], false]);
  const from_time = all.messages[6].timestamp;
  const [fromThen] = await ids({ from_time });
  expect(fromThen.at(-1)).toBe(10);
  expect(fromThen[0]).toBeLessThanOrEqual(7);
  expect(all.messages[fromThen[0] - 1].timestamp >= from_time).toBe(true);
  expect(await ids({ from_time: '2024-01-01T00:00:00Z' })).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], false]);
  expect(await ids({ from_time: '2124-01-01T00:00:00+02:00' })).toEqual([[], false]);
});

test('a page of large messages stays below the largest frame and says that there is more', async () => {
  const room_id = await createRoom();
  const content = '\u{1F4AC}'.repeat(8_192);
  for (let n = 0; n < 40; n += 1) await owner.ask('send_message', { room_id, content });
  const reply = await member.request('get_messages', { room_id, from_time: '2024-01-01T00:00:00Z' });
  expect(JSON.stringify(reply).length).toBeLessThan(1_048_576);
  expect(reply.data.has_more).toBe(true);
  expect(reply.data.messages[0].content).toBe(content);
});
