import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { keccak256 } from 'viem';
import type { Address, Hex } from 'viem';
import { startAnvil } from '../../devnet/startAnvil.js';
import type { Anvil } from '../../devnet/startAnvil.js';
import { verifyBlockHeader } from './blockHeader.js';
import { createRpc } from './rpc.js';
import type { Rpc } from './rpc.js';
import { accountProof, latestBlock } from './rpcCall.js';
import type { AccountProof, Block } from './rpcCall.js';
import { readTrie, TrieProofError, verifyAccountProof } from './trieProof.js';

const CONTRACT: Address = '0x00000000000000000000000000000000000000c0';
const EMPTY: Address = '0x00000000000000000000000000000000000000c1';
const SLOTS = Array.from({ length: 40 }, (_, index) => BigInt(index));
const ASKED = [0n, 7n, 39n, 1000n];

let anvil: Anvil;
let rpc: Rpc;
let block: Block;
let proof: AccountProof;

beforeAll(async () => {
  anvil = await startAnvil({ mining: 'on-demand' });
  rpc = createRpc({ url: anvil.url, requestTimeoutMs: 10_000 });
  const set = (method: string, ...params: unknown[]) => rpc.request({ method, params, decode: (raw) => raw });
  await set('anvil_setCode', CONTRACT, '0x00');
  await set('anvil_setCode', EMPTY, '0x00');
  for (const slot of SLOTS) await set('anvil_setStorageAt', CONTRACT, hex(slot), hex((slot + 1n) << (slot * 6n)));
  await set('evm_mine');
  block = await rpc.request(latestBlock());
  proof = await rpc.request(accountProof(CONTRACT, ASKED, block.hash));
}, 30_000);

afterAll(() => anvil.stop());

function hex(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`;
}

/** The bytes with one bit of byte `at` flipped. */
function flipped(bytes: Hex, at: number, bit: number): Hex {
  const position = 2 + at * 2;
  const byte = Number.parseInt(bytes.slice(position, position + 2), 16) ^ (1 << bit);
  return `0x${bytes.slice(2, position)}${byte.toString(16).padStart(2, '0')}${bytes.slice(position + 2)}`;
}

describe('a real proof', () => {
  test('gives the words that are there, and zero for a slot that is not', () => {
    const { stateRoot } = verifyBlockHeader(block);
    expect(verifyAccountProof(stateRoot, CONTRACT, ASKED, proof)).toEqual([1n, 8n << 42n, 40n << 234n, 0n]);
  });

  test('of an account without storage gives zero', async () => {
    const { stateRoot } = verifyBlockHeader(block);
    expect(
      verifyAccountProof(stateRoot, EMPTY, [5n], await rpc.request(accountProof(EMPTY, [5n], block.hash))),
    ).toEqual([0n]);
  });

  test('of an account that does not exist is refused', async () => {
    const nobody: Address = '0x00000000000000000000000000000000000000c2';
    const absent = await rpc.request(accountProof(nobody, [5n], block.hash));
    expect(() => verifyAccountProof(verifyBlockHeader(block).stateRoot, nobody, [5n], absent)).toThrow('no account');
  });
});

describe('every mutation is refused', () => {
  test('one flipped bit in any byte of any node', () => {
    const { stateRoot } = verifyBlockHeader(block);
    let mutations = 0;
    const refuse = (mutated: AccountProof) => {
      mutations += 1;
      expect(() => verifyAccountProof(stateRoot, CONTRACT, ASKED, mutated)).toThrow(TrieProofError);
    };
    for (const [index, node] of proof.accountProof.entries()) {
      for (let at = 0; at < node.length / 2 - 1; at += 3)
        refuse({ ...proof, accountProof: proof.accountProof.with(index, flipped(node, at, at % 8)) });
    }
    for (const [slot, entry] of proof.storageProof.entries()) {
      for (const [index, node] of entry.proof.entries()) {
        for (let at = 0; at < node.length / 2 - 1; at += 7) {
          const mutated = { ...entry, proof: entry.proof.with(index, flipped(node, at, at % 8)) };
          refuse({ ...proof, storageProof: proof.storageProof.with(slot, mutated) });
        }
      }
    }
    expect(mutations).toBeGreaterThan(300);
  });

  test('nodes left out, added, doubled or swapped', () => {
    const { stateRoot } = verifyBlockHeader(block);
    const [first] = proof.storageProof;
    const nodes = first?.proof ?? [];
    const last = nodes.at(-1) ?? '0x';
    const mutations = [nodes.slice(1), nodes.slice(0, -1), [...nodes, last], [last, ...nodes], nodes.toReversed(), []];
    for (const mutated of mutations) {
      const storageProof = proof.storageProof.with(0, { slot: 0n, value: 1n, proof: mutated });
      expect(() => verifyAccountProof(stateRoot, CONTRACT, ASKED, { ...proof, storageProof })).toThrow(TrieProofError);
    }
  });

  test('another value, another slot, another account, another root', () => {
    const { stateRoot } = verifyBlockHeader(block);
    const [first, second] = proof.storageProof;
    if (first === undefined || second === undefined) throw new Error('no proof');
    const wrongValue = proof.storageProof.with(0, { ...first, value: 2n });
    const wrongSlot = proof.storageProof.with(0, { ...second, slot: 0n });
    expect(() => verifyAccountProof(stateRoot, CONTRACT, ASKED, { ...proof, storageProof: wrongValue })).toThrow(
      'as stated',
    );
    expect(() => verifyAccountProof(stateRoot, CONTRACT, ASKED, { ...proof, storageProof: wrongSlot })).toThrow(
      TrieProofError,
    );
    expect(() => verifyAccountProof(stateRoot, EMPTY, ASKED, proof)).toThrow(TrieProofError);
    expect(() => verifyAccountProof(flipped(stateRoot, 0, 0), CONTRACT, ASKED, proof)).toThrow(TrieProofError);
    expect(() => verifyAccountProof(stateRoot, CONTRACT, ASKED.toReversed(), proof)).toThrow(TrieProofError);
  });

  test('a claim that a key which is there is not', () => {
    const [entry] = proof.storageProof;
    const storageRoot = keccak256(entry?.proof[0] ?? '0x');
    expect(() => readTrie(storageRoot, keccak256(hex(0n)), entry?.proof.slice(0, 1) ?? [])).toThrow(TrieProofError);
  });
});
