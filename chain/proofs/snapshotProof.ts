import type { Address, Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import type { SnapshotWords } from '../../protocol/evidence/encodeEvidence.js';
import type { EvidenceAccount, EvidenceWord } from '../../protocol/evidence/evidenceWords.js';
import type { Deployment } from '../deployment.js';
import { verifyBlockHeader } from '../rpc/blockHeader.js';
import { RpcAnswerError } from '../rpc/rpc.js';
import type { Rpc } from '../rpc/rpc.js';
import { accountProof, blockByHash } from '../rpc/rpcCall.js';
import { verifyAccountProof } from '../rpc/trieProof.js';

/** A word that was to be shown is zero at the snapshot, and only words that are there can be shown. */
export class WordAbsentError extends MatchmakerError<'WORD_ABSENT'> {
  constructor(slot: bigint, blockHash: Hex) {
    super('WORD_ABSENT', `block ${blockHash} holds nothing at slot 0x${slot.toString(16)}`, {
      metadata: { slot: `0x${slot.toString(16)}`, blockHash },
    });
  }
}

/** Words of a snapshot with the nodes that prove them, and what they hold. */
export interface ProvenWords extends SnapshotWords {
  readonly values: ReadonlyMap<bigint, bigint>;
}

/**
 * Fetches header, account and storage proofs of words at the block with the hash, and verifies each before it is handed over: the
 * header against the hash, the accounts against the state root, the words against the accounts. Nodes keep such proofs for about 128
 * blocks. Throws BlockHeaderError, TrieProofError, WordAbsentError, and what the RPC throws (RpcAnswerError where the state is gone).
 */
export async function fetchSnapshotWords(
  rpc: Rpc,
  contracts: Pick<Deployment['contracts'], 'providerRegistry' | 'orderRequest'>,
  blockHash: Hex,
  words: readonly EvidenceWord[],
): Promise<ProvenWords> {
  const plan = (['registry', 'orders'] as const)
    .map((account) => ({ account, address: addressOf(account, contracts), slots: slotsOf(account, words) }))
    .filter(({ slots }) => slots.length > 0);
  const block = await rpc.request(blockByHash(blockHash));
  if (block === null) throw new RpcAnswerError(`the node has no block ${blockHash}`);
  const { headerRlp, stateRoot } = verifyBlockHeader(block);
  const proofs = await rpc.batch(plan.map(({ address, slots }) => accountProof(address, slots, blockHash)));

  const nodes = new Map<bigint, readonly Hex[]>();
  const values = new Map<bigint, bigint>();
  const accounts: Record<EvidenceAccount, readonly Hex[]> = { registry: [], orders: [] };
  for (const [index, { account, address, slots }] of plan.entries()) {
    const proof = proofs[index];
    if (proof === undefined) throw new RpcAnswerError('eth_getProof was left unanswered');
    const proven = verifyAccountProof(stateRoot, address, slots, proof);
    accounts[account] = proof.accountProof;
    for (const [position, slot] of slots.entries()) {
      const value = proven[position] ?? 0n;
      if (value === 0n) throw new WordAbsentError(slot, blockHash);
      values.set(slot, value);
      nodes.set(slot, proof.storageProof[position]?.proof ?? []);
    }
  }
  return {
    header: headerRlp,
    registryAccount: accounts.registry,
    ordersAccount: accounts.orders,
    nodes,
    values,
  };
}

function addressOf(
  account: EvidenceAccount,
  contracts: Pick<Deployment['contracts'], 'providerRegistry' | 'orderRequest'>,
): Address {
  return account === 'registry' ? contracts.providerRegistry : contracts.orderRequest;
}

function slotsOf(account: EvidenceAccount, words: readonly EvidenceWord[]): bigint[] {
  return [...new Set(words.filter((word) => word.account === account).map(({ slot }) => slot))];
}
