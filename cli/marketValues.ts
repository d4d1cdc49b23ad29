import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { isAddress, isHex, keccak256, type Address, type Hex } from 'viem';

import { nearest } from '../protocol/icl/nearest.js';
import { parseBytes, parseCpuMilli, parseDecimal, parseDurationMinutes, divideUp } from '../protocol/icl/quantities.js';
import { parseAmount } from '../sdk/amounts.js';
import { requireAccount, type MarketClient } from '../sdk/marketClient.js';
import { getProviderIdOf } from '../sdk/provider/getProvider.js';
import { CATALOGUE } from '../sdk/readIcl.js';
import { listTokens, type MarketToken } from '../sdk/tokens/listTokens.js';
import { errnoCode, unreadable } from '../service/thrown.js';
import { InvalidFlagError } from './usage.js';

/** The payment token of a symbol, in any case. Throws InvalidFlagError. */
export async function tokenOf(client: MarketClient, symbol: string): Promise<MarketToken> {
  const tokens = await listTokens(client);
  const found = tokens.find((token) => token.symbol.toLowerCase() === symbol.toLowerCase());
  if (found !== undefined) return found;
  throw new InvalidFlagError(
    'token',
    `the market has no token ${symbol}`,
    `name one of ${tokens.map((token) => token.symbol).join(', ')}`,
  );
}

/** Token units of an amount as people write it. Throws AmountInvalidError, and InvalidFlagError for zero. */
export function amountOf(text: string, token: { readonly decimals: number }): bigint {
  const units = parseAmount(text, token.decimals);
  if (units === 0n) throw new InvalidFlagError('amount', 'it is zero', 'name a positive amount');
  return units;
}

/** The provider that a flag names, else the one that the account owns. Throws InvalidFlagError when it owns none. */
export async function providerOf(client: MarketClient, flag: number | undefined): Promise<number> {
  if (flag !== undefined) return flag;
  const owner = requireAccount(client, 'this command');
  const providerId = await getProviderIdOf(client, { owner });
  if (providerId !== null) return providerId;
  throw new InvalidFlagError(
    '--provider',
    `${owner} owns no provider`,
    'register one first, sign with its owner, or name --provider',
  );
}

/** Micro-units per hour from a price in whole tokens per hour. Throws InvalidFlagError. */
export function microOf(flag: string, text: string): number {
  const micro = parseDecimal(text, 6);
  if (micro !== null && micro < 2n ** 40n) return Number(micro);
  throw new InvalidFlagError(flag, `\`${text}\` is no price`, 'write whole tokens an hour with at most six decimals');
}

/** Whole minutes from a duration like 12h. Throws InvalidFlagError. */
export function minutesOf(flag: string, text: string): number {
  const minutes = parseDurationMinutes(text);
  if (minutes !== null && minutes > 0n && minutes < 2n ** 24n) return Number(minutes);
  throw new InvalidFlagError(
    flag,
    `\`${text}\` is no duration`,
    'write a number with s, min, h, d, mon or y, like 12h',
  );
}

/** Thousandths of a core from 1, 0.5 or 100m. Throws InvalidFlagError. */
export function cpuOf(flag: string, text: string): number {
  const milli = parseCpuMilli(text);
  if (milli !== null && milli < 2n ** 20n) return Number(milli);
  throw new InvalidFlagError(flag, `\`${text}\` is no number of cores`, 'write it like 16, 0.5 or 100m');
}

/** MiB of memory, rounded up, from a size like 32Gi. Throws InvalidFlagError. */
export function memoryOf(flag: string, text: string): number {
  return sizeOf(flag, text, 1n << 20n, 2n ** 24n);
}

/** GiB of storage, rounded up, from a size like 2Ti. Throws InvalidFlagError. */
export function storageOf(flag: string, text: string): number {
  return sizeOf(flag, text, 1n << 30n, 2n ** 20n);
}

/** Thousandths of a GPU from 2 or 0.5. Throws InvalidFlagError. */
export function gpuOf(flag: string, text: string): number {
  const milli = parseDecimal(text, 3);
  if (milli !== null && milli <= 8000n) return Number(milli);
  throw new InvalidFlagError(flag, `\`${text}\` is no number of GPUs`, 'write whole GPUs, or a share below 1');
}

/** Hundredths of a percent from a percentage like 5 or 2.5%. Throws InvalidFlagError. */
export function percentOf(flag: string, text: string): number {
  const bps = parseDecimal(text.replace(/%$/, ''), 2);
  if (bps !== null && bps <= 10_000n) return Number(bps);
  throw new InvalidFlagError(flag, `\`${text}\` is no percentage`, 'write 0 to 100 with at most two decimals');
}

/** Id of a GPU model by its short name; 0 for none. Throws InvalidFlagError. */
export function modelOf(name: string): number {
  return name === 'none' ? 0 : rowOf('--model', name, CATALOGUE.gpuModels).id;
}

/** Id of a region by its code. Throws InvalidFlagError. */
export function regionOf(code: string): number {
  return rowOf('--region', code, CATALOGUE.regions).id;
}

/** The row of a catalogue. Throws InvalidFlagError with the nearest name. */
export function rowOf<Row>(flag: string, name: string, table: Readonly<Record<string, Row>>): Row {
  const row = Object.hasOwn(table, name) ? table[name] : undefined;
  if (row !== undefined) return row;
  const names = Object.keys(table);
  const suggestion = nearest(name, names);
  const fix = names.length > MOST_LISTED ? 'see config/catalogue' : `name one of ${names.join(', ')}`;
  throw new InvalidFlagError(
    flag,
    `\`${name}\` is not known`,
    suggestion === null ? fix : `did you mean \`${suggestion}\`?`,
  );
}

/** Longer tables are not listed in an error. */
const MOST_LISTED = 24;

/** Name of a row of a catalogue by its id, or the id itself. */
export function nameOfId(table: Readonly<Record<string, { readonly id: number }>>, id: number): string {
  return Object.entries(table).find(([, row]) => row.id === id)?.[0] ?? String(id);
}

/** An address. Throws InvalidFlagError. */
export function addressOf(flag: string, text: string): Address {
  if (isAddress(text, { strict: false })) return text;
  throw new InvalidFlagError(flag, `\`${text}\` is no address`, 'write 0x and 40 hex digits');
}

/** 32 bytes of hex. Throws InvalidFlagError. */
export function hashOf(flag: string, text: string): Hex {
  if (isHex(text) && text.length === 66) return text;
  throw new InvalidFlagError(flag, `\`${text}\` is no hash`, 'write 0x and 64 hex digits');
}

/** Bytes of hex, `0x` for none. Throws InvalidFlagError. */
export function bytesOf(flag: string, text: string): Hex {
  if (isHex(text) && text.length % 2 === 0) return text;
  throw new InvalidFlagError(flag, `\`${text}\` is no hex`, 'write 0x and two hex digits for each byte');
}

/** Hash of evidence: of a file's bytes, or a hash itself. Exactly one of the two. Throws InvalidFlagError. */
export function evidenceHashOf(flags: { readonly evidence?: string; readonly evidenceHash?: string }): Hex {
  if ((flags.evidence === undefined) === (flags.evidenceHash === undefined)) {
    throw new InvalidFlagError(
      '--evidence',
      'evidence is named once',
      'give exactly one of --evidence and --evidence-hash',
    );
  }
  if (flags.evidenceHash !== undefined) return hashOf('--evidence-hash', flags.evidenceHash);
  return keccak256(readBytes('--evidence', flags.evidence ?? ''));
}

/** Names of a provider's capabilities. */
export function capabilityNames(bits: bigint): string {
  const names = Object.entries(CATALOGUE.capabilities).filter(([, { bit }]) => ((bits >> BigInt(bit)) & 1n) === 1n);
  return names.length === 0 ? 'none' : names.map(([name]) => name).join(', ');
}

/** Bits of capabilities by their names. Throws InvalidFlagError. */
export function capabilityBits(names: readonly string[]): bigint {
  return names.reduce(
    (bits, name) => bits | (1n << BigInt(rowOf('capabilities', name, CATALOGUE.capabilities).bit)),
    0n,
  );
}

/** The text of a file that a flag names. Throws InvalidFlagError. */
export function readText(flag: string, file: string): string {
  return readBytes(flag, file).toString('utf8');
}

/** The bytes of a file that a flag names. Throws InvalidFlagError. */
export function readBytes(flag: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if (errnoCode(error) === undefined) throw error;
    throw new InvalidFlagError(flag, `${file} ${unreadable(error)}`, 'name a file that can be read');
  }
}

/** SHA-256 of a certificate's SubjectPublicKeyInfo and its last second. Throws InvalidFlagError for a file that is no PEM certificate. */
export function readCertificate(file: string): { readonly fingerprint: Hex; readonly notAfterSeconds: number } {
  const pem = readText('certificate', file);
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    throw new InvalidFlagError('certificate', `${file} is no certificate`, 'name an X.509 certificate in PEM');
  }
  const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return {
    fingerprint: `0x${createHash('sha256').update(key).digest('hex')}`,
    notAfterSeconds: Math.floor(Date.parse(certificate.validTo) / 1000),
  };
}

function sizeOf(flag: string, text: string, unit: bigint, limit: bigint): number {
  const bytes = parseBytes(text);
  const units = bytes === null ? null : divideUp(bytes, unit);
  if (units !== null && units < limit) return Number(units);
  throw new InvalidFlagError(flag, `\`${text}\` is no size`, 'write a number with Mi, Gi or Ti, like 32Gi');
}
