import { expect, test } from '@jest/globals';
import { listAnchors, listLinks } from './links.ts';

test('links and pictures of both kinds are found, those in code are not', () => {
  const page = [
    '[one](a.md#b), [`two`](c/), ![three](d.png) and <img src="e.png" alt="">',
    'but not `[four](f.md)` nor',
    '```sh',
    'echo "[five](g.md)"',
    '```',
  ];
  expect(listLinks(page.join('\n'))).toEqual(['a.md#b', 'c/', 'd.png', 'e.png']);
});

test('anchors are those of GitHub', () => {
  const page = [
    "# A message's way",
    '## The `npm start` of *all*, and more - or less?',
    '### [Linked](x.md) snake_case 2.0',
    '```sh',
    '# a comment',
    '```',
    "## A message's way",
  ];
  expect(listAnchors(page.join('\n'))).toEqual([
    'a-messages-way',
    'the-npm-start-of-all-and-more---or-less',
    'linked-snake_case-20',
    'a-messages-way-1',
  ]);
});
