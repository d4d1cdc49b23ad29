import { describe, expect, it } from '@jest/globals';
import { wrapWords } from './wrapWords.js';

describe('wrapWords', () => {
  it('breaks between words and begins every line below the first word', () => {
    expect(wrapWords('key: ', 'one two three four', 14)).toEqual(['key: one two', '     three', '     four']);
  });

  it('keeps a word that is longer than the line', () => {
    expect(wrapWords('a ', 'unbreakable b', 6)).toEqual(['a unbreakable', '  b']);
  });
});
