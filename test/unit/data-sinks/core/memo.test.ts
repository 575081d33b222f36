import { describe, expect, it } from '@jest/globals';
import { memo } from '../../../../src/data-sinks/core/memo.js';

describe('a memo', () => {
  it('computes once for each text, and anew when it has forgotten', () => {
    const computed: string[] = [];
    const length = memo((text) => {
      computed.push(text);
      return text.length;
    }, 2);
    expect(['a', 'bb', 'a', 'bb'].map(length)).toEqual([1, 2, 1, 2]);
    expect(computed).toEqual(['a', 'bb']);
    expect(['ccc', 'a'].map(length)).toEqual([3, 1]);
    expect(computed).toEqual(['a', 'bb', 'ccc', 'a']);
  });
});
