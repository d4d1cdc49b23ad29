import { encodeAbiParameters, keccak256, type Hex } from 'viem';

/** What a tenant wants of a running lease, as the Solidity struct of the same name; resources are new totals. */
export interface LeaseUpdate {
  readonly milliGpu: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly storageGib: number;
  /** Ceiling of the new price; the price of now with unchanged resources makes an update of the manifest alone. */
  readonly maxPriceMicroPerHour: number;
  readonly manifestHash: Hex;
}

const leaseUpdateAbiParameters = [
  {
    type: 'tuple',
    components: [
      { name: 'milliGpu', type: 'uint16' },
      { name: 'cpuMilli', type: 'uint24' },
      { name: 'memoryMib', type: 'uint24' },
      { name: 'storageGib', type: 'uint24' },
      { name: 'maxPriceMicroPerHour', type: 'uint40' },
      { name: 'manifestHash', type: 'bytes32' },
    ],
  },
] as const;

/** keccak256(abi.encode(update)): names the request that a provider accepts. */
export function hashLeaseUpdate(update: LeaseUpdate): Hex {
  return keccak256(encodeAbiParameters(leaseUpdateAbiParameters, [update]));
}
