import { Rlp } from 'ox';
import { keccak256, numberToHex, zeroAddress, zeroHash } from 'viem';
import type { Address, Hex } from 'viem';
import { encodeBlockHeader } from '../../chain/rpc/blockHeader.js';
import { BLOCK, ROUND, TIMESTAMP } from '../../engine/reference/arbitrarySnapshot.js';
import type { RoundPlan } from '../../engine/reference/arbitrarySnapshot.js';
import type { Snapshot } from '../../engine/snapshot.js';
import type { SnapshotWords } from '../../protocol/evidence/encodeEvidence.js';
import type { EvidenceWord } from '../../protocol/evidence/evidenceWords.js';
import type { OrderSpec } from '../../protocol/orderSpec.js';
import { MerkleTrie, rlpOfWord, trieKey } from './merkleTrie.js';
import { plannedWords, TENANT } from './plannedWords.js';

/** Where the words of a planned market lie. */
export interface PlannedContracts {
  readonly providerRegistry: Address;
  readonly orderRequest: Address;
}

const BALANCE_AND_CODE = keccak256('0x');

/** A planned round as the state of a block: the engine's snapshot, and every word with its proof. */
export class PlannedState {
  readonly snapshot: Snapshot;
  /** First order id that no order has. */
  readonly nextOrderId: number;
  readonly #specs: ReadonlyMap<number, OrderSpec>;
  readonly #header: Hex;
  readonly #accounts: MerkleTrie;
  readonly #tries: { readonly registry: MerkleTrie; readonly orders: MerkleTrie };
  readonly #contracts: PlannedContracts;

  constructor(plan: RoundPlan, contracts: PlannedContracts) {
    const planned = plannedWords(plan);
    this.#specs = new Map(plan.orders.map((order) => [order.orderId, order]));
    this.#contracts = contracts;
    this.nextOrderId = planned.nextOrderId;
    this.#tries = { registry: trieOf(planned.registry), orders: trieOf(planned.orders) };
    this.#accounts = new MerkleTrie(
      new Map([
        [keccak256(contracts.providerRegistry), accountOf(this.#tries.registry.root)],
        [keccak256(contracts.orderRequest), accountOf(this.#tries.orders.root)],
        [keccak256(TENANT), accountOf(this.#tries.orders.root)],
      ]),
    );
    this.#header = headerOf(this.#accounts.root);
    this.snapshot = { ...planned.snapshot, snapshotHash: keccak256(this.#header) };
  }

  specOf(orderId: number): OrderSpec | undefined {
    return this.#specs.get(orderId);
  }

  /** The proofs of some words; a word that was never written is proven by no nodes. */
  wordsFor(words: readonly EvidenceWord[]): SnapshotWords {
    return {
      header: this.#header,
      registryAccount: this.#accounts.proof(keccak256(this.#contracts.providerRegistry)),
      ordersAccount: this.#accounts.proof(keccak256(this.#contracts.orderRequest)),
      nodes: new Map(words.map(({ account, slot }) => [slot, this.#tries[account].proof(trieKey(slot))])),
    };
  }
}

function trieOf(words: ReadonlyMap<bigint, bigint>): MerkleTrie {
  return new MerkleTrie(new Map([...words].map(([slot, word]) => [trieKey(slot), rlpOfWord(word)])));
}

function accountOf(storageRoot: Hex): Hex {
  return Rlp.fromHex(['0x01', '0x', storageRoot, BALANCE_AND_CODE]);
}

function headerOf(stateRoot: Hex): Hex {
  const raw = {
    parentHash: zeroHash,
    sha3Uncles: zeroHash,
    miner: zeroAddress,
    stateRoot,
    transactionsRoot: zeroHash,
    receiptsRoot: zeroHash,
    logsBloom: `0x${'00'.repeat(256)}`,
    difficulty: '0x0',
    number: numberToHex(BLOCK),
    gasLimit: '0x1c9c380',
    gasUsed: '0x5208',
    timestamp: numberToHex(TIMESTAMP),
    extraData: '0x',
    mixHash: keccak256(numberToHex(ROUND)),
    nonce: '0x0000000000000000',
    baseFeePerGas: '0x7',
  };
  return encodeBlockHeader(raw, zeroHash);
}
