import { expect, test } from '@jest/globals';
import { snapshotOf } from '../reference/arbitrarySnapshot.js';
import { plainMachine, plainProvider, plainRound } from '../reference/plainRound.js';
import { forEachOffer, hasGpu, isOffered, offerOf } from './liveOffers.js';

const [offer] = plainMachine().offers;
const { market } = snapshotOf(
  plainRound({
    market: {
      providers: [plainProvider()],
      machines: [
        { ...plainMachine(), offers: [2, 0, 2, 1].map((tokenId) => ({ ...offer!, tokenId })) },
        plainMachine({ activeFromRound: 1000 }),
        plainMachine({ model: 0, freeMilliGpu: [0, 0, 5] }),
        plainMachine({ model: 0, freeMilliGpu: [] }),
      ],
    },
  }),
  'ascending',
);

test('of several offers in one token the first counts, and none of token 0', () => {
  expect([0, 1, 2, 3].map((index) => isOffered(market, 1, index))).toEqual([true, false, false, true]);
  expect(offerOf(market, 1, 2)).toBe(4);
  expect(offerOf(market, 1, 1)).toBe(7);
  expect(() => offerOf(market, 1, 3)).toThrow('machine 1 has no offer in token 3');
});

test('a machine without model stands among those with GPUs while a device has something free', () => {
  expect([1, 3, 4].map((machineId) => hasGpu(market, machineId))).toEqual([true, true, false]);
});

test('visits each token of the machines that take part', () => {
  const visited: number[][] = [];
  forEachOffer(market, 10, (machineId, tokenId) => visited.push([machineId, tokenId]));
  expect(visited).toEqual([
    [1, 2],
    [1, 1],
    [3, offer!.tokenId],
    [4, offer!.tokenId],
  ]);
});
