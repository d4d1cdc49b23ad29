import { encodeAbiParameters } from 'viem';
import type { Hex } from 'viem';
import type { BatchFinding, MachineInFault } from '../../engine/auditBatch.js';
import { MatchmakerError } from '../../engine/error.js';
import type { Policy } from '../../engine/policy.js';
import type { MatchBatch } from '../matchBatch.js';
import type { OrderSpec } from '../orderSpec.js';
import { NO_PACKING } from '../packingHash.js';
import { policyStructOf } from '../policyStruct.js';
import {
  bidSlot,
  MACHINE_OFFER_WORD,
  MACHINE_WORD,
  machineSlot,
  ORDER_SPEC_WORD,
  ORDER_WORD,
  orderSlot,
  ORDERS_COUNTER_SLOT,
  PROVIDER_WORD,
  providerSlot,
  REGISTRY_COUNTERS_SLOT,
} from '../words/slots.js';
import { evidenceAbiParameters, NAME_NUMBERS } from './evidenceAbi.js';
import { evidenceWordsOf } from './evidenceWords.js';

/** A batch, the packed operator table that it names, and a certificate in the judge's form over that table. */
export interface SignedBatch {
  readonly batch: MatchBatch;
  readonly table: Hex;
  readonly certificate: Hex;
}

/** Trie nodes that prove words at a snapshot, from the root down. */
export interface SnapshotWords {
  /** RLP of the snapshot block's header. */
  readonly header: Hex;
  readonly registryAccount: readonly Hex[];
  readonly ordersAccount: readonly Hex[];
  /** Nodes by slot; slots of the two accounts never meet. */
  readonly nodes: ReadonlyMap<bigint, readonly Hex[]>;
}

/** Everything that a batch's evidence shows beside the finding. */
export interface BatchEvidence {
  readonly signed: SignedBatch;
  readonly policy: Policy;
  /** All records, 32 bytes each. */
  readonly records: Hex;
  readonly words: SnapshotWords;
  /** Spec of the finding's order; not read where the order's own word shows the fault or the order never existed. */
  readonly spec: OrderSpec | undefined;
}

/** A word or a spec that the evidence must show was not given. */
export class EvidenceIncompleteError extends MatchmakerError<'EVIDENCE_INCOMPLETE'> {
  constructor(what: string) {
    super('EVIDENCE_INCOMPLETE', `the evidence lacks ${what}`, { metadata: { what } });
  }
}

const NO_SPEC: OrderSpec = {
  milliGpu: 0,
  cpuMilli: 0,
  memoryMib: 0,
  storageGib: 0,
  models: [],
  regions: [],
  regionsExcluded: [],
  providersWanted: [],
  providersExcluded: [],
  tiers: 0,
  attributes: 0n,
  regionRequired: false,
  minUptimeBps: 0,
  minReputationBps: 0,
  maxSlashes: 0,
  tokenId: 0,
  maxPriceMicroPerHour: 0,
  durationMinutes: 0,
};

/** Bytes that show a finding to the judge. Throws EvidenceIncompleteError when a word or the spec it needs is missing. */
export function encodeEvidence(finding: BatchFinding, evidence: BatchEvidence): Hex {
  switch (finding.fault) {
    case 'wrongRecord':
      return encodeAbiParameters(evidenceAbiParameters.wrongRecord, [
        {
          batch: batchOf(finding, evidence),
          index: BigInt(finding.index),
          order:
            finding.machine === null ? orderWordOnly(finding.orderId, evidence) : orderOf(finding.orderId, evidence),
          machine: finding.machine === null ? NO_MACHINE : machineOf(finding.orderId, finding.machine, evidence),
        },
      ]);
    case 'betterCandidate':
      return encodeAbiParameters(evidenceAbiParameters.betterCandidate, [
        {
          batch: batchOf(finding, evidence),
          index: BigInt(finding.index),
          order: orderOf(finding.orderId, evidence),
          winner: machineOf(finding.orderId, finding.winner, evidence),
          candidate: machineOf(finding.orderId, finding.candidate, evidence),
        },
      ]);
    case 'omittedOrder':
      return encodeAbiParameters(evidenceAbiParameters.omittedOrder, [
        {
          batch: batchOf(finding, evidence),
          orderId: finding.orderId,
          order: orderOf(finding.orderId, evidence),
          candidate: machineOf(finding.orderId, finding.candidate, evidence),
        },
      ]);
    default: {
      const { name, machineId, orderId, orderIsOpen } = finding;
      const showsOrder = orderIsOpen && (name === 'machine' || name === 'offer');
      const slot = slotOfName(finding);
      return encodeAbiParameters(evidenceAbiParameters.unknownName, [
        {
          batch: batchOf(finding, evidence),
          index: BigInt(finding.index),
          name: NAME_NUMBERS[name],
          word:
            slot === undefined
              ? []
              : nodesOf(slot, `the word that counts ${name} ids of machine ${machineId}`, evidence),
          orderWord: showsOrder ? nodesOf(orderSlot(orderId, ORDER_WORD), `order ${orderId}`, evidence) : [],
        },
      ]);
    }
  }
}

/** Bytes that show two batches of one round, signed by one key each. */
export function encodeEquivocation(first: SignedBatch, second: SignedBatch): Hex {
  return encodeAbiParameters(evidenceAbiParameters.equivocation, [
    { first: signedOf(first), second: signedOf(second) },
  ]);
}

const NO_MACHINE = {
  machineId: 0,
  machineWord: [],
  providerWord: [],
  offerIndex: 0,
  offerWord: [],
  bidIndex: 0,
  bidWord: [],
} as const;

function signedOf({ batch, table, certificate }: SignedBatch) {
  return {
    batch: { ...batch, round: BigInt(batch.round), snapshotBlock: BigInt(batch.snapshotBlock) },
    table,
    certificate,
  };
}

function batchOf(finding: BatchFinding, { signed, policy, records, words }: BatchEvidence) {
  const accounts = new Set(evidenceWordsOf(finding).map(({ account }) => account));
  return {
    signed: signedOf(signed),
    policy: policyStructOf(policy),
    packing: policy.packing ?? NO_PACKING,
    records,
    snapshot: {
      header: words.header,
      registryAccount: accounts.has('registry') ? words.registryAccount : [],
      ordersAccount: accounts.has('orders') ? words.ordersAccount : [],
    },
  };
}

function orderOf(orderId: number, evidence: BatchEvidence) {
  if (evidence.spec === undefined) throw new EvidenceIncompleteError(`the spec of order ${orderId}`);
  return {
    spec: evidence.spec,
    orderWord: nodesOf(orderSlot(orderId, ORDER_WORD), `order ${orderId}`, evidence),
    specHash: nodesOf(orderSlot(orderId, ORDER_SPEC_WORD), `the spec hash of order ${orderId}`, evidence),
  };
}

function orderWordOnly(orderId: number, evidence: BatchEvidence) {
  const orderWord = nodesOf(orderSlot(orderId, ORDER_WORD), `order ${orderId}`, evidence);
  return { spec: NO_SPEC, orderWord, specHash: [] };
}

function machineOf(orderId: number, machine: MachineInFault, evidence: BatchEvidence) {
  const { machineId, providerId, offerIndex, bidIndex } = machine;
  const name = `machine ${machineId}`;
  return {
    machineId,
    machineWord: nodesOf(machineSlot(machineId, MACHINE_WORD), name, evidence),
    providerWord: nodesOf(providerSlot(providerId, PROVIDER_WORD), `provider ${providerId}`, evidence),
    offerIndex: offerIndex ?? 0,
    offerWord:
      offerIndex === null
        ? []
        : nodesOf(machineSlot(machineId, MACHINE_OFFER_WORD + offerIndex), `offer ${offerIndex} of ${name}`, evidence),
    bidIndex: bidIndex ?? 0,
    bidWord:
      bidIndex === null ? [] : nodesOf(bidSlot(orderId, bidIndex), `bid ${bidIndex} on order ${orderId}`, evidence),
  };
}

function slotOfName(finding: Extract<BatchFinding, { fault: 'unknownName' }>): bigint | undefined {
  switch (finding.name) {
    case 'order':
      return ORDERS_COUNTER_SLOT;
    case 'machine':
      return finding.machineId === 0 ? undefined : REGISTRY_COUNTERS_SLOT;
    case 'offer':
      return machineSlot(finding.machineId, MACHINE_WORD);
    default:
      return orderSlot(finding.orderId, ORDER_WORD);
  }
}

function nodesOf(slot: bigint, what: string, { words }: BatchEvidence): readonly Hex[] {
  const nodes = words.nodes.get(slot);
  if (nodes === undefined) throw new EvidenceIncompleteError(what);
  return nodes;
}
