import {
  ORDERS_FACTS_SLOT,
  POLICY_HASH_SLOT,
  PREVIOUS_POLICY_HASH_SLOT,
  PREVIOUS_TABLE_HASH_SLOT,
  PREVIOUS_TABLE_SLOT,
  REGISTRY_FACTS_SLOT,
  SCHEDULE_SLOT,
  SETTLEMENT_SLOT,
  TABLE_HASH_SLOT,
  TABLE_SLOT,
} from '../../protocol/words/slots.js';
import type { Deployment } from '../deployment.js';
import { verifyBlockHeader } from '../rpc/blockHeader.js';
import { accountProof, storageAt } from '../rpc/rpcCall.js';
import type { AccountProof, Block, RpcCall } from '../rpc/rpcCall.js';
import { verifyAccountProof } from '../rpc/trieProof.js';
import type { Commitments } from './marketState.js';

/** A recorded operator table as settlement keeps it: its word and its hash. */
export interface TableWords {
  readonly word: bigint;
  readonly hash: bigint;
}

/** The words of one block that decide whether, and with whom, its round is signed. */
export interface RoundWords {
  readonly commitments: Commitments;
  readonly newestTable: TableWords;
  readonly previousTable: TableWords;
}

/** How the words are asked for, and how the answers are read. */
export interface RoundWordsReading {
  readonly calls: readonly RpcCall<unknown>[];
  /** Throws BlockHeaderError or TrieProofError when answers with proofs do not hold. */
  readonly read: (answers: readonly unknown[]) => RoundWords;
}

/**
 * Plans the reading of a block's words by its hash. `storage` trusts the node's answers; `proof` verifies the header against
 * the hash, the accounts against the state root and the slots against the accounts.
 */
export function roundWordsAt(
  contracts: Deployment['contracts'],
  block: Block,
  factsCheck: 'proof' | 'storage',
): RoundWordsReading {
  const plan = [
    { address: contracts.providerRegistry, slots: [REGISTRY_FACTS_SLOT] },
    { address: contracts.orderRequest, slots: [ORDERS_FACTS_SLOT] },
    {
      address: contracts.matchSettlement,
      slots: [SETTLEMENT_SLOT, TABLE_SLOT, TABLE_HASH_SLOT, PREVIOUS_TABLE_SLOT, PREVIOUS_TABLE_HASH_SLOT],
    },
    { address: contracts.matchPolicy, slots: [SCHEDULE_SLOT, POLICY_HASH_SLOT, PREVIOUS_POLICY_HASH_SLOT] },
  ];
  if (factsCheck === 'storage') {
    return {
      calls: plan.flatMap(({ address, slots }) => slots.map((slot) => storageAt(address, slot, block.hash))),
      read: (answers) => roundWordsFrom(answers as bigint[]),
    };
  }
  return {
    calls: plan.map(({ address, slots }) => accountProof(address, slots, block.hash)),
    read: (answers) => {
      const { stateRoot } = verifyBlockHeader(block);
      return roundWordsFrom(
        plan.flatMap(({ address, slots }, index) =>
          verifyAccountProof(stateRoot, address, slots, answers[index] as AccountProof),
        ),
      );
    },
  };
}

/** Names the words in which a state and the chain differ, null when they agree. */
export function differenceBetween(followed: Commitments, onChain: Commitments): string | null {
  const other = new Map(Object.entries(followed));
  const differing = Object.entries(onChain).flatMap(([name, word]) => (other.get(name) === word ? [] : [name]));
  return differing.length === 0 ? null : `the chain holds other words than the logs tell: ${differing.join(', ')}`;
}

function roundWordsFrom(words: readonly bigint[]): RoundWords {
  const [
    registryFacts,
    ordersFacts,
    settlement,
    table,
    tableHash,
    previousTable,
    previousTableHash,
    schedule,
    policyHash,
    previousPolicyHash,
  ] = words as [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];
  return {
    commitments: { registryFacts, ordersFacts, settlement, schedule, policyHash, previousPolicyHash },
    newestTable: { word: table, hash: tableHash },
    previousTable: { word: previousTable, hash: previousTableHash },
  };
}
