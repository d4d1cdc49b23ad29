import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Rlp } from 'ox';
import { keccak256 } from 'viem';
import type { Address } from 'viem';
import { verifyAccountProof } from '../../chain/rpc/trieProof.js';
import { MerkleTrie, rlpOfWord, trieKey } from './merkleTrie.js';

test('every word of a trie is proven by the nodes that the verifier of the chain takes', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { minLength: 1, maxLength: 60 }),
      fc.array(fc.oneof(fc.bigInt({ min: 1n, max: 2n ** 256n - 1n }), fc.bigInt({ min: 1n, max: 300n })), {
        minLength: 60,
        maxLength: 60,
      }),
      (slots, words) => {
        const slotTrie = new MerkleTrie(new Map(slots.map((slot, i) => [trieKey(slot), rlpOfWord(words[i]!)])));
        const account: Address = '0x00000000000000000000000000000000000000aa';
        const body = Rlp.fromHex(['0x01', '0x', slotTrie.root, keccak256('0x')]);
        const accounts = new MerkleTrie(new Map([[keccak256(account), body]]));
        const proven = verifyAccountProof(accounts.root, account, slots, {
          address: account,
          accountProof: accounts.proof(keccak256(account)),
          storageProof: slots.map((slot, i) => ({ slot, value: words[i]!, proof: slotTrie.proof(trieKey(slot)) })),
        });
        expect(proven).toEqual(slots.map((_, i) => words[i]));
      },
    ),
    { numRuns: 100 },
  );
});
