import type { Address } from 'viem';
import type { IclTables } from './iclTables.js';
import type { IclValue } from './iclValue.js';
import { nearest } from './nearest.js';
import { parseDecimal } from './quantities.js';
import { checkName, readList } from './readServices.js';

/** Finds the provider that an account owns: its id, or null when it owns none. */
export type ResolveProvider = (owner: Address) => number | null;

/** The ceiling of one service's price, all replicas together. */
export interface IclPrice {
  readonly value: IclValue;
  readonly tokenId: number | null;
  readonly symbol: string | null;
  readonly microPerHour: bigint;
}

/** Where services go and what they may cost; each placement becomes an order. */
export interface IclPlacement {
  readonly name: string;
  readonly value: IclValue;
  readonly regions: readonly number[];
  readonly regionsExcluded: readonly number[];
  readonly regionRequired: boolean;
  readonly providersWanted: readonly number[];
  readonly providersExcluded: readonly number[];
  /** Bitmap. */
  readonly capabilities: bigint;
  readonly minUptimeBps: number;
  readonly minReputationBps: number;
  readonly maxSlashes: number;
  readonly pricing: ReadonlyMap<string, IclPrice>;
}

const ATTRIBUTE_KEYS = [
  'region',
  'region_exclude',
  'exclude_region',
  'region_required',
  'desired_provider',
  'provider_exclude',
  'exclude_provider',
  'capabilities',
  'uptime',
  'reputation',
  'slashes',
  'cpu_model',
  'bandwidth',
  'desired_fizz',
  'fizz_exclude',
  'exclude_fizz',
];
const FIZZ_KEYS = ['cpu_model', 'bandwidth', 'desired_fizz', 'fizz_exclude', 'exclude_fizz'];

/** A provider may have any number of slashes; the largest that a word can count. */
const ANY_SLASHES = 255;

/** Placements of a document by name. */
export function readPlacements(
  value: IclValue,
  tables: IclTables,
  resolveProvider: ResolveProvider,
): ReadonlyMap<string, IclPlacement> {
  const placements = new Map<string, IclPlacement>();
  for (const [name, placement] of value.members() ?? []) {
    checkName('placement', name, placement);
    const members = placement.members(['attributes', 'pricing']) ?? new Map<string, IclValue>();
    const attributesValue = members.get('attributes');
    const attributes =
      attributesValue === undefined || attributesValue.isEmpty()
        ? new Map<string, IclValue>()
        : (attributesValue.members(ATTRIBUTE_KEYS) ?? new Map<string, IclValue>());
    refuseFizz(attributes);
    const regions = readRegions(attributes.get('region'), tables);
    const pricing = members.get('pricing');
    if (pricing === undefined) placement.fail('has no `pricing`', 'say what each service may cost an hour');
    placements.set(name, {
      name,
      value: placement,
      regions,
      regionsExcluded: readRegions(either(attributes, 'region_exclude', 'exclude_region'), tables),
      // Whoever names regions means them, unless the document says that they are only preferred.
      regionRequired: attributes.get('region_required')?.truth() ?? regions.length > 0,
      providersWanted: readProviders(attributes.get('desired_provider'), resolveProvider),
      providersExcluded: readProviders(either(attributes, 'provider_exclude', 'exclude_provider'), resolveProvider),
      capabilities: readCapabilities(attributes.get('capabilities'), tables),
      minUptimeBps: readPercent(attributes.get('uptime')),
      minReputationBps: readPercent(attributes.get('reputation')),
      maxSlashes: attributes.get('slashes')?.integer(0, ANY_SLASHES) ?? ANY_SLASHES,
      pricing: pricing === undefined ? new Map() : readPricing(pricing, tables),
    });
  }
  return placements;
}

function either(members: ReadonlyMap<string, IclValue>, name: string, alias: string): IclValue | undefined {
  const second = members.get(alias);
  if (members.has(name)) second?.fail(`\`${name}\` and \`${alias}\` mean the same`, 'keep one of them');
  return members.get(name) ?? second;
}

function refuseFizz(attributes: ReadonlyMap<string, IclValue>): void {
  for (const key of FIZZ_KEYS) {
    const value = attributes.get(key);
    if (value === undefined || value.isEmpty() || value.text() === 'any') continue;
    value.fail(`${key} belongs to fizz nodes`, 'leave it out; this market has provider machines only');
  }
}

/** Entries of a list, or of one text with semicolons between them. */
function readWords(value: IclValue | undefined): readonly { readonly word: string; readonly value: IclValue }[] {
  if (value === undefined || value.isEmpty()) return [];
  const texts = value.isList()
    ? readList(value, (entry) => {
        const text = entry.text();
        return text === null ? null : { word: text.trim(), value: entry };
      })
    : (value.text() ?? '').split(';').map((text) => ({ word: text.trim(), value }));
  return texts.filter(({ word }) => word !== '');
}

function readRegions(value: IclValue | undefined, tables: IclTables): readonly number[] {
  const ids = new Set<number>();
  for (const { word, value: entry } of readWords(value)) {
    const code = word.toLowerCase();
    if (code === 'any') continue;
    const row = Object.hasOwn(tables.regions, code) ? tables.regions[code] : undefined;
    if (row !== undefined) ids.add(row.id);
    else {
      const suggestion = nearest(code, Object.keys(tables.regions));
      entry.fail(
        `region \`${word}\` is not known`,
        suggestion === null ? 'take a code from config/catalogue/regions.json' : `did you mean \`${suggestion}\`?`,
      );
    }
  }
  return [...ids];
}

function readProviders(value: IclValue | undefined, resolveProvider: ResolveProvider): readonly number[] {
  const ids = new Set<number>();
  for (const { word, value: entry } of readWords(value)) {
    if (/^[1-9]\d{0,7}$/.test(word) && Number(word) < 2 ** 24) ids.add(Number(word));
    else if (/^0x[0-9a-fA-F]{40}$/.test(word)) {
      const id = resolveProvider(`0x${word.slice(2).toLowerCase()}`);
      if (id !== null) ids.add(id);
      else entry.fail(`${word} owns no provider`, "name the owner's address of a registered provider, or its id");
    } else {
      entry.fail(`\`${word}\` is no provider`, "write the owner's address (quoted), or the provider's id");
    }
  }
  return [...ids];
}

function readCapabilities(value: IclValue | undefined, tables: IclTables): bigint {
  let bits = 0n;
  for (const { word, value: entry } of readWords(value)) {
    const row = Object.hasOwn(tables.capabilities, word) ? tables.capabilities[word] : undefined;
    if (row !== undefined) bits |= 1n << BigInt(row.bit);
    else {
      const suggestion = nearest(word, Object.keys(tables.capabilities));
      entry.fail(
        `capability \`${word}\` is not known`,
        suggestion === null
          ? `name one of ${Object.keys(tables.capabilities).join(', ')}`
          : `did you mean \`${suggestion}\`?`,
      );
    }
  }
  return bits;
}

/** Hundredths of a percent from a percentage. */
function readPercent(value: IclValue | undefined): number {
  if (value === undefined) return 0;
  const text = value.text();
  const bps = text === null ? null : parseDecimal(text.replace(/%$/, ''), 2);
  if (bps !== null && bps <= 10_000n) return Number(bps);
  if (text !== null) value.fail(`\`${text}\` is no percentage`, 'write 0 to 100 with at most two decimals, like 99.5');
  return 0;
}

function readPricing(value: IclValue, tables: IclTables): ReadonlyMap<string, IclPrice> {
  const prices = new Map<string, IclPrice>();
  for (const [name, price] of value.members() ?? []) {
    const members = price.members(['token', 'denom', 'amount']);
    if (members === null) continue;
    const tokenValue = either(members, 'token', 'denom');
    const amountValue = members.get('amount');
    if (tokenValue === undefined) price.fail('has no `token`', 'name the token, like `token: uSPON`');
    if (amountValue === undefined) price.fail('has no `amount`', 'say what it may cost an hour, like `amount: 4.2`');
    const symbol = tokenValue?.text() ?? null;
    prices.set(name, {
      value: price,
      symbol,
      tokenId: symbol === null || tokenValue === undefined ? null : readToken(symbol, tokenValue, tables),
      microPerHour: amountValue === undefined ? 0n : readAmount(amountValue),
    });
  }
  return prices;
}

function readToken(symbol: string, value: IclValue, tables: IclTables): number | null {
  const id = Object.hasOwn(tables.tokens, symbol) ? tables.tokens[symbol] : undefined;
  if (id !== undefined) return id;
  const suggestion = nearest(symbol, Object.keys(tables.tokens));
  return value.fail(
    `token \`${symbol}\` is not accepted`,
    suggestion === null
      ? `name one of ${Object.keys(tables.tokens).join(', ') || '(the market has none)'}`
      : `did you mean \`${suggestion}\`?`,
  );
}

/** Micro-units of the token per hour. */
function readAmount(value: IclValue): bigint {
  const text = value.text();
  const micro = text === null ? null : parseDecimal(text, 6);
  if (text !== null && micro === null) {
    value.fail(`\`${text}\` is no price`, 'write a decimal number with at most six decimals, like 4.2');
  }
  return micro ?? 0n;
}
