import { encodePacked, keccak256 } from 'viem';
import type { Hex } from 'viem';

/** Seed of a round's jitter: keccak256(abi.encodePacked(bytes32 snapshotHash, uint64 round)). */
export function roundSeed(snapshotHash: Hex, round: number): Hex {
  return keccak256(encodePacked(['bytes32', 'uint64'], [snapshotHash, BigInt(round)]));
}
