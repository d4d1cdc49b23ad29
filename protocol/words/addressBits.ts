import { getAddress, numberToHex } from 'viem';
import type { Address } from 'viem';

/** The checksummed address held in 160 bits of a word. */
export function addressOf(bits: bigint): Address {
  return getAddress(numberToHex(bits, { size: 20 }));
}
