import { DEVICES_PER_MACHINE, OFFERS_PER_MACHINE } from '../market.js';
import type { Market } from '../market.js';
import { standingOf } from '../roundTerms.js';
import type { Bucket } from './bucket.js';

/** Whether the offer is the first of the machine's offers in its token. */
export function isOffered({ offerTokenId }: Market, machineId: number, index: number): boolean {
  const first = machineId * OFFERS_PER_MACHINE;
  const tokenId = offerTokenId[first + index]!;
  if (tokenId === 0) return false;
  for (let earlier = 0; earlier < index; earlier++) if (offerTokenId[first + earlier] === tokenId) return false;
  return true;
}

/** Row in the market's columns of the machine's first offer in a token; throws RangeError when there is none. */
export function offerOf({ offerTokenId }: Market, machineId: number, tokenId: number): number {
  const first = machineId * OFFERS_PER_MACHINE;
  for (let offer = first; offer < first + OFFERS_PER_MACHINE; offer++) {
    if (offerTokenId[offer] === tokenId) return offer;
  }
  throw new RangeError(`machine ${machineId} has no offer in token ${tokenId}`);
}

/** Whether a machine stands among those with GPUs. */
export function hasGpu(market: Market, machineId: number): boolean {
  if (market.model[machineId] !== 0) return true;
  const first = machineId * DEVICES_PER_MACHINE;
  for (let device = first; device < first + DEVICES_PER_MACHINE; device++) {
    if (market.freeMilliGpu[device]! > 0) return true;
  }
  return false;
}

/** Whether a machine's row for a token stands in the bucket. */
export function belongs(market: Market, machineId: number, tokenId: number, bucket: Bucket): boolean {
  return (
    bucket.forest.tokenId === tokenId &&
    bucket.model === market.model[machineId] &&
    bucket.region === market.region[machineId] &&
    bucket.forest.isGpu === hasGpu(market, machineId)
  );
}

/** The offer for which the machine stays in a bucket, as a row of the market's columns; -1 for none. */
export function keptOffer(market: Market, machineId: number, bucket: Bucket): number {
  const { tokenId } = bucket.forest;
  if (!belongs(market, machineId, tokenId, bucket)) return -1;
  const first = machineId * OFFERS_PER_MACHINE;
  for (let offer = first; offer < first + OFFERS_PER_MACHINE; offer++) {
    if (market.offerTokenId[offer] === tokenId) return offer;
  }
  return -1;
}

/** Calls `visit` with every machine that takes part in a round and each token that it is offered in. */
export function forEachOffer(market: Market, round: number, visit: (machineId: number, tokenId: number) => void): void {
  for (let machineId = 1; machineId <= market.machineCount; machineId++) {
    if (standingOf(market, machineId, round) !== 0) continue;
    for (let index = 0; index < OFFERS_PER_MACHINE; index++) {
      if (!isOffered(market, machineId, index)) continue;
      visit(machineId, market.offerTokenId[machineId * OFFERS_PER_MACHINE + index]!);
    }
  }
}
