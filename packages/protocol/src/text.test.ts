import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isName, isStorable, NameInput, normalizeName, UserName } from './text.ts';
import { matches } from './validation.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 80 });

describe('a name', () => {
  test('once normalized stays as it is', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const name = normalizeName(text);
        expect(normalizeName(name)).toBe(name);
      }),
    );
  });

  test('that is accepted can be stored; one that is not, can not', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(matches(UserName, normalizeName(text))).toBe(matches(NameInput, text));
      }),
    );
  });

  test('is counted in code points', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 90 }), (text) => {
        const name = normalizeName(text);
        const characters = Array.from(name).length;
        expect(isName(name)).toBe(characters >= 1 && characters <= 64 && !/\p{Cc}/u.test(name));
      }),
    );
  });

  test('differs from another in case', () => {
    expect(normalizeName('Anna')).not.toBe(normalizeName('anna'));
  });

  test('that is not in its stored form is none for the services', () => {
    expect(matches(UserName, ' anna')).toBe(false);
    expect(matches(UserName, 'Zoë'.normalize('NFD'))).toBe(false);
  });
});

test.each(['', 'a', '\u0001', '\ufffe', '😀'])('%p can be kept exactly', (text) => {
  expect(isStorable(text)).toBe(true);
});

test.each(['\0', 'a\0b', '\ud83d', '\ude00', '\ude00\ud83d', 7, null, undefined])(
  '%p can not be kept exactly',
  (text) => {
    expect(isStorable(text)).toBe(false);
  },
);
