/**
 * The permutation of keccak256 as a small WebAssembly module, which has the 64-bit arithmetic that JavaScript lacks: more than ten times
 * the speed of one in 32-bit halves (`npm run bench -- decoding` measures both).
 */

// The language's own types leave WebAssembly to the browser's.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => {
    readonly exports: { readonly memory: { readonly buffer: ArrayBuffer }; readonly permute: () => void };
  };
};

const LANES = 25;
const STATE_WORDS = 50;
const ROUNDS = 24;
const LANE_BYTES = 8;
/** Where the round constants lie in the module's memory, behind the state. */
const CONSTANTS_OFFSET = 256;

/** Rotation of each lane x + 5 y in step rho. */
const ROTATIONS = [
  0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14,
] as const;

const OP = {
  loop: 0x03,
  end: 0x0b,
  branchIf: 0x0d,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i64Load: 0x29,
  i64Store: 0x37,
  i32Const: 0x41,
  i64Const: 0x42,
  i32LessThan: 0x49,
  i32Add: 0x6a,
  i64And: 0x83,
  i64Xor: 0x85,
  i64RotateLeft: 0x89,
} as const;
const MAGIC_AND_VERSION = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0] as const;
const I32 = 0x7f;
const I64 = 0x7e;
const NO_RESULT = 0x40;
const FUNCTION_TYPE = 0x60;
/** Alignment of 8 bytes, as a power of two. */
const ALIGNED = 3;

const { memory, permute } = new WebAssembly.Instance(new WebAssembly.Module(permutationModule())).exports;
new BigUint64Array(memory.buffer, CONSTANTS_OFFSET, ROUNDS).set(roundConstants());

/** The state that `permuteKeccak` works on: 25 lanes, each as two little-endian words, the low one first. Whoever hashes begins by writing all of it. */
export const keccakState = new Uint32Array(memory.buffer, 0, STATE_WORDS);

/** Keccak-f[1600] over `keccakState`, in place (FIPS 202, section 3.3). */
export const permuteKeccak: () => void = permute;

/** Swaps the bytes of a 32-bit word: between the state's little-endian words and the big-endian ones of a hash. */
export function byteSwapped(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}

/** Constants of step iota, from the linear feedback shift register that FIPS 202 defines them by. */
function roundConstants(): BigUint64Array {
  const constants = new BigUint64Array(ROUNDS);
  let register = 1;
  for (let round = 0; round < ROUNDS; round++) {
    for (let power = 0; power < 7; power++) {
      if (register & 1) constants[round]! |= 1n << BigInt(2 ** power - 1);
      register <<= 1;
      if (register & 0x100) register ^= 0x171;
    }
  }
  return constants;
}

function permutationModule(): Uint8Array {
  // Locals: the lanes, the lanes after rho and pi, column parities, the change of a column, where the round's constant lies.
  const lane = (x: number, y: number) => (x % 5) + 5 * y;
  const moved = (x: number, y: number) => LANES + lane(x, y);
  const parity = (x: number) => 2 * LANES + (x % 5);
  const change = 2 * LANES + 5;
  const constant = change + 1;
  const columns = [0, 1, 2, 3, 4];

  const code: number[] = [];
  const emit = (...bytes: readonly number[]) => void code.push(...bytes);
  const get = (local: number) => emit(OP.localGet, ...unsigned(local));
  const set = (local: number) => emit(OP.localSet, ...unsigned(local));
  const rotateLeft = (bits: number) => emit(OP.i64Const, ...signed(bits), OP.i64RotateLeft);

  for (let index = 0; index < LANES; index++) {
    emit(OP.i32Const, 0, OP.i64Load, ALIGNED, ...unsigned(LANE_BYTES * index));
    set(index);
  }
  emit(OP.loop, NO_RESULT);
  for (const x of columns) {
    get(lane(x, 0));
    for (const y of [1, 2, 3, 4]) {
      get(lane(x, y));
      emit(OP.i64Xor);
    }
    set(parity(x));
  }
  for (const x of columns) {
    get(parity(x + 4));
    get(parity(x + 1));
    rotateLeft(1);
    emit(OP.i64Xor);
    set(change);
    for (const y of columns) {
      get(lane(x, y));
      get(change);
      emit(OP.i64Xor);
      rotateLeft(ROTATIONS[lane(x, y)]!);
      set(moved(y, (2 * x + 3 * y) % 5));
    }
  }
  for (const y of columns) {
    for (const x of columns) {
      get(moved(x, y));
      get(moved(x + 1, y));
      emit(OP.i64Const, ...signed(-1), OP.i64Xor);
      get(moved(x + 2, y));
      emit(OP.i64And, OP.i64Xor);
      if (x === 0 && y === 0) {
        get(constant);
        emit(OP.i64Load, ALIGNED, ...unsigned(CONSTANTS_OFFSET), OP.i64Xor);
      }
      set(lane(x, y));
    }
  }
  get(constant);
  emit(OP.i32Const, LANE_BYTES, OP.i32Add, OP.localTee, ...unsigned(constant));
  emit(OP.i32Const, ...signed(ROUNDS * LANE_BYTES), OP.i32LessThan, OP.branchIf, 0, OP.end);
  for (let index = 0; index < LANES; index++) {
    emit(OP.i32Const, 0);
    get(index);
    emit(OP.i64Store, ALIGNED, ...unsigned(LANE_BYTES * index));
  }
  emit(OP.end);

  const body = [2, ...unsigned(constant), I64, 1, I32, ...code];
  return Uint8Array.from([
    ...MAGIC_AND_VERSION,
    ...section(1, [1, FUNCTION_TYPE, 0, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...named('memory'), 2, 0, ...named('permute'), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function named(name: string): number[] {
  return [name.length, ...Array.from(name, (letter) => letter.charCodeAt(0))];
}

/** LEB128 of an unsigned number. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

/** LEB128 of a signed number. */
function signed(value: number): number[] {
  return value >= -64 && value < 64 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
