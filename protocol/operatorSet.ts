import { encodePacked, isAddressEqual } from 'viem';
import type { Address, Hex } from 'viem';

/** The EigenLayer operator set whose stake secures a market. */
export interface OperatorSet {
  readonly avs: Address;
  /** uint32 in EigenLayer. */
  readonly id: number;
}

/** The set's key as EigenLayer and settlement write it: bytes32(abi.encodePacked(address avs, uint96 id)). */
export function operatorSetKey(operatorSet: OperatorSet): Hex {
  return encodePacked(['address', 'uint96'], [operatorSet.avs, BigInt(operatorSet.id)]);
}

/** Whether two names mean the same set, in whatever case their addresses are written. */
export function isSameSet(a: OperatorSet, b: OperatorSet): boolean {
  return a.id === b.id && isAddressEqual(a.avs, b.avs);
}
