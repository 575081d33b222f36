import { describe, expect, it } from '@jest/globals';
import { slicesOf } from '../../../../src/data-sinks/tools/slices.js';

const lettersIn = (words: readonly string[], most: number, made: string[] = []): Generator<readonly string[], void> =>
  slicesOf(
    words,
    most,
    (word) => {
      made.push(word);
      return word.toUpperCase();
    },
    ({ length }) => length,
  );

describe('slices', () => {
  it.each<[readonly string[], number, readonly (readonly string[])[]]>([
    [[], 4, []],
    [['a', 'b', 'c', 'd'], 4, [['A', 'B', 'C', 'D']]],
    [['a', 'b', 'c', 'd', 'e'], 4, [['A', 'B', 'C', 'D'], ['E']]],
    [['abc', 'de', 'f', 'g'], 4, [['ABC'], ['DE', 'F', 'G']]],
    [['a', 'much longer', 'b', '', ''], 4, [['A'], ['MUCH LONGER'], ['B', '', '']]],
  ])('of %j, at most %i', (words, most, expected) => {
    expect([...lettersIn(words, most)]).toEqual(expected);
  });

  it('are made on demand', () => {
    const made: string[] = [];
    const slices = lettersIn(['ab', 'cd', 'ef', 'gh', 'ij', 'kl'], 4, made);
    slices.next();
    expect(made).toEqual(['ab', 'cd', 'ef']);
  });
});
