import { keccak256 } from 'viem';
import type { Address, Hex } from 'viem';
import { Rlp } from 'ox';
import { MatchmakerError } from '../../engine/error.js';
import type { AccountProof } from './rpcCall.js';

/** The trie nodes do not prove what they should. */
export class TrieProofError extends MatchmakerError<'TRIE_PROOF'> {
  constructor(what: string, cause?: unknown) {
    super('TRIE_PROOF', `Merkle proof: ${what}`, { cause });
  }
}

/** Root of a trie that holds nothing: keccak256(rlp('')). */
const EMPTY_ROOT: Hex = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421';

/** A decoded RLP item: bytes, or a list of items. */
type Item = Hex | readonly Item[];

/**
 * The value that a Merkle-Patricia trie holds at `key`, or null when the nodes prove that it holds none.
 * Every node must lie on the way from `root`, and none may be left over. Throws TrieProofError.
 */
export function readTrie(root: Hex, key: Hex, proof: readonly Hex[]): Hex | null {
  if (root === EMPTY_ROOT) return null;
  const path = key.slice(2);
  let at = 0;
  let used = 0;
  let reference: Item = root;
  let value: Hex | null = null;
  for (;;) {
    let node: Item;
    if (typeof reference === 'string') {
      const encoded: Hex | undefined = proof[used++];
      if (encoded === undefined) throw new TrieProofError('it ends before the key does');
      if (keccak256(encoded) !== reference)
        throw new TrieProofError(`node ${used - 1} is not the one its parent names`);
      node = decode(encoded);
    } else {
      // A node shorter than a hash stands in its parent instead of being named by it.
      node = reference;
    }
    if (typeof node === 'string') throw new TrieProofError('a node is no list');

    let next: Item;
    if (node.length === 17) {
      const nibble = path[at];
      if (nibble === undefined) {
        value = present(node[16]);
        break;
      }
      at += 1;
      next = itemOf(node, Number.parseInt(nibble, 16));
      if (next === '0x') break;
    } else if (node.length === 2) {
      const { isLeaf, nibbles } = compactPath(node[0]);
      const rest = path.slice(at);
      if (isLeaf) {
        if (rest === nibbles) value = present(node[1]);
        break;
      }
      if (!rest.startsWith(nibbles)) break;
      at += nibbles.length;
      next = itemOf(node, 1);
    } else {
      throw new TrieProofError(`a node has ${node.length} items`);
    }
    if (typeof next === 'string' && next.length !== 66)
      throw new TrieProofError('a node names its child by something that is no hash');
    reference = next;
  }
  if (used !== proof.length) throw new TrieProofError('it has nodes beyond the key');
  return value;
}

/**
 * Verifies an account's proof under a state root and returns the words of its slots, in the order they were asked for.
 * Throws TrieProofError when a node, a slot or a stated value does not hold.
 */
export function verifyAccountProof(
  stateRoot: Hex,
  address: Address,
  slots: readonly bigint[],
  proof: AccountProof,
): bigint[] {
  const account = readTrie(stateRoot, keccak256(address), proof.accountProof);
  if (account === null) throw new TrieProofError(`no account ${address}`);
  const storageRoot = storageRootOf(account);
  if (proof.storageProof.length !== slots.length) throw new TrieProofError('not one proof a slot');
  return slots.map((slot, index) => {
    const entry = proof.storageProof[index];
    if (entry?.slot !== slot) throw new TrieProofError(`slot ${entry?.slot} instead of ${slot}`);
    const word = verifyStorageProof(storageRoot, slot, entry.proof);
    if (word !== entry.value) throw new TrieProofError(`slot ${slot} holds ${word}, not ${entry.value} as stated`);
    return word;
  });
}

/** The word that a slot holds under an account's storage root, 0 when the nodes prove that it holds none. Throws TrieProofError. */
export function verifyStorageProof(storageRoot: Hex, slot: bigint, proof: readonly Hex[]): bigint {
  const leaf = readTrie(storageRoot, keccak256(`0x${slot.toString(16).padStart(64, '0')}`), proof);
  if (leaf === null) return 0n;
  const word = decode(leaf);
  if (typeof word !== 'string' || word.length > 66) throw new TrieProofError(`slot ${slot} holds no word`);
  return word === '0x' ? 0n : BigInt(word);
}

function itemOf(node: readonly Item[], index: number): Item {
  const item = node[index];
  if (item === undefined) throw new TrieProofError(`a node has no item ${index}`);
  return item;
}

function storageRootOf(account: Hex): Hex {
  const fields = decode(account);
  const root = typeof fields === 'string' ? undefined : fields[2];
  if (typeof root !== 'string' || root.length !== 66) throw new TrieProofError('the account is malformed');
  return root;
}

function present(value: Item | undefined): Hex | null {
  if (typeof value !== 'string') throw new TrieProofError('a value is no bytes');
  return value === '0x' ? null : value;
}

/** Hex-prefix encoding of a path, Ethereum Yellow Paper appendix C. */
function compactPath(item: Item | undefined): { isLeaf: boolean; nibbles: string } {
  if (typeof item !== 'string' || item.length < 4) throw new TrieProofError('a path is malformed');
  const flag = Number.parseInt(item.slice(2, 3), 16);
  if (flag > 3 || ((flag & 1) === 0 && item[3] !== '0')) throw new TrieProofError('a path has an unknown flag');
  return { isLeaf: (flag & 2) !== 0, nibbles: item.slice((flag & 1) === 1 ? 3 : 4) };
}

function decode(encoded: Hex): Item {
  try {
    return Rlp.toHex(encoded);
  } catch (cause) {
    throw new TrieProofError('a node is not RLP', cause);
  }
}
