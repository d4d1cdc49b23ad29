import { isAddress, type AbiParameter } from 'viem';
import { MatchmakerError } from '../../engine/error.js';

/** An argument of a contract call is not what its ABI asks for; `metadata.path` says which. */
export class CallArgumentInvalidError extends MatchmakerError<'CALL_ARGUMENT_INVALID'> {
  constructor(path: string, problem: string) {
    super('CALL_ARGUMENT_INVALID', `${path}: ${problem}`, { metadata: { path, problem } });
  }
}

/** A parameter as ABIs and EIP-712 types name it, with its fields when it is a tuple. */
export type ArgumentType = Pick<AbiParameter, 'type' | 'name'> & { readonly components?: readonly ArgumentType[] };

/** Integers of at most so many bits are numbers to viem, wider ones bigints. */
const NUMBER_BITS = 48;

/**
 * The arguments of a call from values as JSON has them: integers as numbers or decimal strings, tuples as objects with every field.
 * Throws CallArgumentInvalidError, which names the argument or field at fault.
 */
export function readArguments(inputs: readonly ArgumentType[], values: readonly unknown[]): readonly unknown[] {
  if (inputs.length !== values.length) {
    const expected = inputs.map(signatureOf).join(', ');
    throw new CallArgumentInvalidError(
      'arguments',
      `there are ${values.length}, ${inputs.length} are needed${inputs.length === 0 ? '' : `: ${expected}`}`,
    );
  }
  return inputs.map((input, index) => readArgument(nameOf(input, index), input, values[index]));
}

/** A parameter for people: its type with the names of a tuple's fields, then its name. */
export function signatureOf(input: ArgumentType): string {
  const type =
    input.components === undefined
      ? input.type
      : `{${input.components.map(signatureOf).join(', ')}}${input.type.slice('tuple'.length)}`;
  return input.name === undefined || input.name === '' ? type : `${type} ${input.name}`;
}

function readArgument(path: string, input: ArgumentType, value: unknown): unknown {
  const list = /^(.*)\[(\d*)\]$/.exec(input.type);
  if (list !== null) return readList(path, { ...input, type: list[1] ?? '' }, list[2] ?? '', value);
  if (input.components !== undefined) return readTuple(path, input.components, value);
  const integer = /^(u?)int(\d+)$/.exec(input.type);
  if (integer !== null) return readInteger(path, integer[1] === 'u', Number(integer[2]), value);
  return readPlain(path, input.type, value);
}

function readList(path: string, item: ArgumentType, length: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new CallArgumentInvalidError(path, 'it must be a JSON list');
  if (length !== '' && value.length !== Number(length)) {
    throw new CallArgumentInvalidError(path, `it must have ${length} members`);
  }
  return value.map((member: unknown, index) => readArgument(`${path}[${index}]`, item, member));
}

function readTuple(path: string, fields: readonly ArgumentType[], value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CallArgumentInvalidError(path, `it must be a JSON object {${fields.map(signatureOf).join(', ')}}`);
  }
  const given = new Map<string, unknown>(Object.entries(value));
  const names = fields.map((field, index) => nameOf(field, index));
  const missing = names.filter((name) => !given.has(name));
  if (missing.length > 0) throw new CallArgumentInvalidError(path, `${missing.join(', ')} missing`);
  const unknown = [...given.keys()].filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new CallArgumentInvalidError(path, `there is no ${unknown.join(', ')}; its fields are ${names.join(', ')}`);
  }
  return Object.fromEntries(
    fields.map((field, index) => {
      const name = nameOf(field, index);
      return [name, readArgument(`${path}.${name}`, field, given.get(name))];
    }),
  );
}

function readInteger(path: string, isUnsigned: boolean, bits: number, value: unknown): number | bigint {
  const text = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
  const lossy = typeof value === 'number' && !Number.isSafeInteger(value);
  if (typeof text !== 'string' || lossy || !/^-?(\d+|0x[0-9a-fA-F]+)$/.test(text)) {
    throw new CallArgumentInvalidError(path, 'it must be a whole number; write large ones in quotes');
  }
  const whole = text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
  const low = isUnsigned ? 0n : -(1n << BigInt(bits - 1));
  const high = (1n << BigInt(isUnsigned ? bits : bits - 1)) - 1n;
  if (whole < low || whole > high) throw new CallArgumentInvalidError(path, `it must be ${low} to ${high}`);
  return bits <= NUMBER_BITS ? Number(whole) : whole;
}

function readPlain(path: string, type: string, value: unknown): unknown {
  if (type === 'bool') {
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
    throw new CallArgumentInvalidError(path, 'it must be true or false');
  }
  if (typeof value !== 'string') throw new CallArgumentInvalidError(path, `it must be a text (${type})`);
  if (type === 'string') return value;
  if (type === 'address') {
    if (isAddress(value, { strict: false })) return value;
    throw new CallArgumentInvalidError(path, 'it must be an address, 0x and 40 hex digits');
  }
  const bytes = /^bytes(\d*)$/.exec(type)?.[1];
  if (bytes === undefined) throw new CallArgumentInvalidError(path, `values of ${type} cannot be given here`);
  const digits = bytes === '' ? '([0-9a-fA-F]{2})*' : `[0-9a-fA-F]{${2 * Number(bytes)}}`;
  if (new RegExp(`^0x${digits}$`).test(value)) return value;
  throw new CallArgumentInvalidError(
    path,
    bytes === '' ? 'it must be bytes in hex' : `it must be ${bytes} bytes in hex`,
  );
}

function nameOf(input: ArgumentType, index: number): string {
  return input.name === undefined || input.name === '' ? `argument ${index + 1}` : input.name;
}
