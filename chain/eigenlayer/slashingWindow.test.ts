import { describe, expect, test } from '@jest/globals';
import {
  describeSlashingWindow,
  INCLUSION_MARGIN_SECONDS,
  slashingWindow,
  SlashingWindowShortError,
  type SlashingWindowTerms,
} from './slashingWindow.js';

const DAY = 86_400;
/** Ethereum: 14 days of 12 s, a table of a week and a day, four days to challenge, one to be mined. */
const MAINNET: SlashingWindowTerms = {
  maxTableAgeSeconds: 8 * DAY,
  challengeWindowSeconds: 4 * DAY,
  vetoSeconds: 0,
  inclusionMarginSeconds: INCLUSION_MARGIN_SECONDS,
  deallocationDelayBlocks: 100_800,
  lookaheadBlocks: 100_800,
  blockTimeMs: 12_000,
};

describe('slashingWindow', () => {
  test('thirteen days fit into fourteen', () => {
    expect(slashingWindow(MAINNET)).toEqual({
      neededSeconds: 13 * DAY,
      slashableSeconds: 14 * DAY,
      shortfallSeconds: 0,
    });
  });

  test('what is needed must be less than what there is, to the second', () => {
    const full = slashingWindow({ ...MAINNET, challengeWindowSeconds: 5 * DAY });
    expect(full).toMatchObject({ neededSeconds: 14 * DAY, shortfallSeconds: 1 });
    expect(slashingWindow({ ...MAINNET, challengeWindowSeconds: 5 * DAY - 1 }).shortfallSeconds).toBe(0);
  });

  test.each(['maxTableAgeSeconds', 'challengeWindowSeconds', 'vetoSeconds', 'inclusionMarginSeconds'] as const)(
    '%s counts in full',
    (term) => {
      const more = slashingWindow({ ...MAINNET, [term]: MAINNET[term] + DAY });
      expect(more).toMatchObject({ neededSeconds: 14 * DAY, shortfallSeconds: 1 });
    },
  );

  test('stake on its way out that a short lookahead still counts is not there long enough', () => {
    const short = slashingWindow({ ...MAINNET, lookaheadBlocks: 7_200 });
    expect(short).toEqual({ neededSeconds: 13 * DAY, slashableSeconds: DAY, shortfallSeconds: 12 * DAY + 1 });
    expect(slashingWindow({ ...MAINNET, lookaheadBlocks: 1_000_000 })).toEqual(slashingWindow(MAINNET));
  });

  test('blocks of a fraction of a second are rounded down', () => {
    const devnet = { ...MAINNET, deallocationDelayBlocks: 7, lookaheadBlocks: 7, blockTimeMs: 250 };
    expect(slashingWindow(devnet).slashableSeconds).toBe(1);
  });

  test('a table that never goes stale is never safe', () => {
    const unlimited = slashingWindow({ ...MAINNET, maxTableAgeSeconds: 0 });
    expect(unlimited.shortfallSeconds).toBe(Number.POSITIVE_INFINITY);
    expect(describeSlashingWindow(unlimited)).toContain('never goes stale');
  });
});

test('it is told in words, and what falls short with what to change', () => {
  expect(describeSlashingWindow(slashingWindow(MAINNET))).toBe(
    'stake stays slashable for 1209600 s, and a wrong match can be slashed within 1123200 s',
  );
  const error = new SlashingWindowShortError(slashingWindow({ ...MAINNET, challengeWindowSeconds: 6 * DAY }));
  expect(error.message).toContain('86401 s too short: shorten');
});
