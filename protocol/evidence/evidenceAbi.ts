import { orderSpecAbiParameters } from '../orderSpec.js';
import { packingAbiParameters } from '../packingHash.js';
import { policyAbiParameters } from '../policyStruct.js';

const batchComponents = [
  { name: 'round', type: 'uint64' },
  { name: 'snapshotBlock', type: 'uint64' },
  { name: 'snapshotHash', type: 'bytes32' },
  { name: 'policyHash', type: 'bytes32' },
  { name: 'operatorSetKey', type: 'bytes32' },
  { name: 'tableTimestamp', type: 'uint32' },
  { name: 'tableHash', type: 'bytes32' },
  { name: 'recordsHash', type: 'bytes32' },
  { name: 'matchCount', type: 'uint32' },
] as const;

const signedBatchComponents = [
  { name: 'batch', type: 'tuple', components: batchComponents },
  { name: 'table', type: 'bytes' },
  { name: 'certificate', type: 'bytes' },
] as const;

const snapshotProofComponents = [
  { name: 'header', type: 'bytes' },
  { name: 'registryAccount', type: 'bytes[]' },
  { name: 'ordersAccount', type: 'bytes[]' },
] as const;

const batchEvidence = {
  name: 'batch',
  type: 'tuple',
  components: [
    { name: 'signed', type: 'tuple', components: signedBatchComponents },
    { name: 'policy', type: 'tuple', components: policyAbiParameters[0].components },
    { name: 'packing', type: 'tuple', components: packingAbiParameters[0].components },
    { name: 'records', type: 'bytes' },
    { name: 'snapshot', type: 'tuple', components: snapshotProofComponents },
  ],
} as const;

const orderEvidence = {
  name: 'order',
  type: 'tuple',
  components: [
    { name: 'spec', type: 'tuple', components: orderSpecAbiParameters[0].components },
    { name: 'orderWord', type: 'bytes[]' },
    { name: 'specHash', type: 'bytes[]' },
  ],
} as const;

const machineComponents = [
  { name: 'machineId', type: 'uint32' },
  { name: 'machineWord', type: 'bytes[]' },
  { name: 'providerWord', type: 'bytes[]' },
  { name: 'offerIndex', type: 'uint8' },
  { name: 'offerWord', type: 'bytes[]' },
  { name: 'bidIndex', type: 'uint8' },
  { name: 'bidWord', type: 'bytes[]' },
] as const;

const recordIndex = { name: 'index', type: 'uint256' } as const;

/** Evidence structs of the judge by fault, each one tuple: what `abi.encode` of the struct encodes. */
export const evidenceAbiParameters = {
  equivocation: [
    {
      type: 'tuple',
      components: [
        { name: 'first', type: 'tuple', components: signedBatchComponents },
        { name: 'second', type: 'tuple', components: signedBatchComponents },
      ],
    },
  ],
  wrongRecord: [
    {
      type: 'tuple',
      components: [
        batchEvidence,
        recordIndex,
        orderEvidence,
        { name: 'machine', type: 'tuple', components: machineComponents },
      ],
    },
  ],
  betterCandidate: [
    {
      type: 'tuple',
      components: [
        batchEvidence,
        recordIndex,
        orderEvidence,
        { name: 'winner', type: 'tuple', components: machineComponents },
        { name: 'candidate', type: 'tuple', components: machineComponents },
      ],
    },
  ],
  unknownName: [
    {
      type: 'tuple',
      components: [
        batchEvidence,
        recordIndex,
        { name: 'name', type: 'uint8' },
        { name: 'word', type: 'bytes[]' },
        { name: 'orderWord', type: 'bytes[]' },
      ],
    },
  ],
  omittedOrder: [
    {
      type: 'tuple',
      components: [
        batchEvidence,
        { name: 'orderId', type: 'uint32' },
        orderEvidence,
        { name: 'candidate', type: 'tuple', components: machineComponents },
      ],
    },
  ],
} as const;

/** The judge's enum of faults. */
export const FAULT_NUMBERS = {
  equivocation: 0,
  wrongRecord: 1,
  betterCandidate: 2,
  unknownName: 3,
  omittedOrder: 4,
} as const;
export type FaultName = keyof typeof FAULT_NUMBERS;

/** The judge's enum of names. */
export const NAME_NUMBERS = { order: 0, machine: 1, offer: 2, bid: 3 } as const;

const faultNames = new Map<number, FaultName>(
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the entries of the table above
  Object.entries(FAULT_NUMBERS).map(([name, number]) => [number, name as FaultName]),
);

/** Name of a fault by its number in the judge's enum. Throws RangeError for a number that is none. */
export function faultNameOf(number: number): FaultName {
  const name = faultNames.get(number);
  if (name === undefined) throw new RangeError(`fault ${number} does not exist: faults are 0 to 4`);
  return name;
}
