import { Rlp } from 'ox';
import { keccak256, size } from 'viem';
import type { Hex } from 'viem';

/** Keys by their 64 nibbles, values as they stand in a leaf. */
type Entries = readonly (readonly [nibbles: string, value: Hex])[];

type Item = Hex | readonly Item[];

/** A node's RLP, and how its parent names it. */
interface BuiltNode {
  readonly encoded: Hex;
  readonly reference: Item;
  readonly children: ReadonlyMap<string, BuiltNode>;
  /** Nibbles that the node itself takes of a key before its children. */
  readonly shared: string;
}

const NIBBLES = '0123456789abcdef'.split('');
/** Nodes shorter than this stand in their parent themselves. */
const HASHED_BYTES = 32;

/** A Merkle Patricia trie over the keccak256 of its keys, as Ethereum keeps accounts and slots. */
export class MerkleTrie {
  readonly #root: BuiltNode;

  /** @param entries Keys of 32 bytes after hashing, and the RLP of each value; at least one. */
  constructor(entries: ReadonlyMap<Hex, Hex>) {
    const sorted = [...entries].map(([key, value]) => [key.slice(2), value] as const);
    this.#root = build(sorted.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  get root(): Hex {
    return keccak256(this.#root.encoded);
  }

  /** Nodes from the root down to the key's leaf; nodes within their parents are not listed. */
  proof(key: Hex): Hex[] {
    const nodes: Hex[] = [];
    let rest = key.slice(2);
    let node: BuiltNode | undefined = this.#root;
    while (node !== undefined) {
      if (node === this.#root || size(node.encoded) >= HASHED_BYTES) nodes.push(node.encoded);
      if (!rest.startsWith(node.shared)) break;
      rest = rest.slice(node.shared.length);
      const child: BuiltNode | undefined = node.children.get(rest.slice(0, 1)) ?? node.children.get('');
      // Below an extension nothing of the key is taken, below a branch one nibble.
      if (!node.children.has('')) rest = rest.slice(1);
      node = child;
    }
    return nodes;
  }
}

/** Keys by slot: planned markets are small and share most of their slots. */
const keys = new Map<bigint, Hex>();

/** A slot's or an account's key in its trie. */
export function trieKey(slot: bigint): Hex {
  let key = keys.get(slot);
  if (key === undefined) {
    key = keccak256(`0x${slot.toString(16).padStart(64, '0')}`);
    keys.set(slot, key);
  }
  return key;
}

/** RLP of a word without its leading zeros, as slots keep it. */
export function rlpOfWord(word: bigint): Hex {
  const digits = word.toString(16);
  return Rlp.fromHex(word === 0n ? '0x' : `0x${digits.length % 2 === 1 ? '0' : ''}${digits}`);
}

function build(entries: Entries): BuiltNode {
  const [first] = entries;
  if (first === undefined) throw new RangeError('a trie without entries');
  const [key, value] = first;
  if (entries.length === 1) return node([hexPrefix(key, true), value], new Map(), key);
  const last = entries.at(-1)?.[0] ?? '';
  let length = 0;
  while (key[length] === last[length]) length++;
  if (length > 0) {
    const child = build(entries.map(([nibbles, leaf]) => [nibbles.slice(length), leaf]));
    const shared = key.slice(0, length);
    return node([hexPrefix(shared, false), child.reference], new Map([['', child]]), shared);
  }
  const children = new Map<string, BuiltNode>();
  for (const nibble of NIBBLES) {
    const below = entries.filter(([nibbles]) => nibbles[0] === nibble);
    if (below.length > 0) children.set(nibble, build(below.map(([nibbles, leaf]) => [nibbles.slice(1), leaf])));
  }
  const references = NIBBLES.map((nibble): Item => children.get(nibble)?.reference ?? '0x');
  return node([...references, '0x'], children, '');
}

function node(items: readonly Item[], children: ReadonlyMap<string, BuiltNode>, shared: string): BuiltNode {
  const encoded = Rlp.fromHex(items);
  return { encoded, reference: size(encoded) < HASHED_BYTES ? items : keccak256(encoded), children, shared };
}

function hexPrefix(nibbles: string, isLeaf: boolean): Hex {
  const isOdd = nibbles.length % 2 === 1;
  return `0x${((isLeaf ? 2 : 0) + (isOdd ? 1 : 0)).toString(16)}${isOdd ? '' : '0'}${nibbles}`;
}
