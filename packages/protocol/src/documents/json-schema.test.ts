import { describe, expect, test } from '@jest/globals';
import { Type } from '@parley/schema';
import type { Words } from './description.ts';
import { exampleOf, toldSchema } from './json-schema.ts';

const words: Words = {
  name: { description: 'A name.', example: 'anna' },
  'room.name': { description: "The room's name.", example: 'Kitchen' },
  room: { description: 'The room.' },
  rooms: { description: 'The rooms.' },
  counts: {
    description: 'The counts.',
    example: { a: 1 },
    schema: { additionalProperties: { type: 'integer' } },
  },
  kind: { description: 'The kind.' },
  isNew: { description: 'Whether it is new.' },
  size: { description: 'In bytes.' },
};
const telling = { words, bodyField: 'data', extensions: ['size'] };

function told(properties: Parameters<typeof Type.Object>[0]) {
  return toldSchema(Type.Object(properties), 'greet', telling).properties!;
}

describe('a schema as readers are told it', () => {
  test('has words for each field, those of its parent first', () => {
    const { name, room } = told({ name: Type.String(), room: Type.Object({ name: Type.String() }) });
    expect(name).toMatchObject({ description: 'A name.', examples: ['anna'] });
    expect(room!.properties).toMatchObject({ name: { description: "The room's name." } });
  });

  test('keeps the words that a field brings along', () => {
    const name = Type.String({ description: 'Its own.', examples: ['zoë'] });
    expect(told({ name })).toMatchObject({ name: { description: 'Its own.', examples: ['zoë'] } });
  });

  test('says nothing of the body and of constants, but looks into the body', () => {
    const { action, data } = told({
      action: Type.Literal('greet'),
      data: Type.Object({ name: Type.String() }),
    });
    expect(action).not.toHaveProperty('description');
    expect(data).not.toHaveProperty('description');
    expect(data!.properties).toMatchObject({ name: { description: 'A name.' } });
  });

  test('marks extensions, and adds what our own checks know', () => {
    const { size, counts } = told({ size: Type.Integer(), counts: Type.Object({}) });
    expect(size!.description).toBe('*(ext)* In bytes.');
    expect(counts!.additionalProperties).toEqual({ type: 'integer' });
  });

  test('has no field without words', () => {
    expect(() => told({ colour: Type.String() })).toThrow('the field colour of greet');
    expect(() => told({ rooms: Type.Array(Type.Object({ colour: Type.String() })) })).toThrow(
      'the field colour of rooms',
    );
  });
});

describe('an example', () => {
  const schema = Type.Object({
    name: Type.String(),
    kind: Type.Union([Type.Literal('private'), Type.Literal('public')]),
    isNew: Type.Boolean(),
    size: Type.Optional(Type.Integer({ minimum: 3 })),
    rooms: Type.Array(Type.Object({ name: Type.String() })),
  });

  test('has what is needed, and what is to be shown', () => {
    const needed = { name: 'anna', kind: 'private', isNew: true, rooms: [{ name: 'anna' }] };
    expect(exampleOf(toldSchema(schema, 'greet', telling), [])).toEqual(needed);
    expect(exampleOf(toldSchema(schema, 'greet', telling), ['size'])).toEqual({ ...needed, size: 3 });
  });

  test('is missed where there is none', () => {
    const nameless = toldSchema(Type.Object({ room: Type.String() }), 'greet', telling);
    expect(() => exampleOf(nameless, [])).toThrow('There is no example of The room.');
  });
});
