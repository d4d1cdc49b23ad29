import type { Address, Hex } from 'viem';
import { z } from 'zod';
import { MatchmakerError } from '../../engine/error.js';
import type { Policy } from '../../engine/policy.js';
import type { Snapshot } from '../../engine/snapshot.js';
import { BUNDLE_FORMAT, BundleInvalidError, encodeBundle, PACKING_BUNDLE_FORMAT } from './matchBundle.js';
import type { MatchBundle } from './matchBundle.js';
import { bidsFrom, marketFrom, ordersFrom } from './snapshotRows.js';

const hex = z
  .string()
  .regex(/^0x([0-9a-f]{2})*$/, 'must be bytes in lower-case hex')
  .transform((text) => text as Hex);
const hash = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/, 'must be 32 bytes in lower-case hex')
  .transform((text) => text as Hex);
const address = z
  .string()
  .regex(/^0x[0-9a-f]{40}$/, 'must be an address in lower-case hex')
  .transform((text) => text as Address);
const count = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const decimal = z.string().regex(/^\d{1,39}$/, 'must be a decimal number');

const firstPolicy = z.strictObject({
  rulesVersion: count,
  weightPriceBps: count,
  weightStakeBps: count,
  weightFitBps: count,
  weightRegionBps: count,
  weightUptimeBps: count,
  weightReputationBps: count,
  saturationWhole: count,
  complianceCapBps: count,
  jitterRange: count,
  defaultUptimeBps: count,
  defaultReputationBps: count,
  maxMatches: count,
  quorumBps: count,
  minTotalStake: decimal,
  maxTableAgeSeconds: count,
  coolRounds: count,
  selfMatchRounds: count,
});

const packing = z.strictObject({
  fromMilli: z.array(count),
  value: z.array(count),
  deviceWeight: count,
  cpuWeight: count,
  memoryWeight: count,
  cpuRate: count,
  memoryRate: count,
  models: z.array(count),
  modelFactor: z.array(count),
});

const firstBundle = z.strictObject({
  format: z.literal(BUNDLE_FORMAT),
  chainId: count,
  settlement: address,
  operatorSetKey: hash,
  round: count,
  snapshotBlock: count,
  snapshotHash: hash,
  timestampSeconds: count,
  tableTimestamp: count,
  tableHash: hash,
  policy: firstPolicy,
  matchCount: count,
  recordsHash: hash,
  messageHash: hash.nullable(),
  providers: z.array(z.tuple([count, count, count, count, count, count, count, decimal, z.array(count).length(4)])),
  machines: z.array(
    z.tuple([
      count,
      count,
      count,
      count,
      count,
      count,
      count,
      count,
      count,
      count,
      z.array(count).length(8),
      z.array(z.array(count).length(6)).max(4),
    ]),
  ),
  orders: z.array(z.tuple([count, count, count, count, hex])),
  bids: z.array(z.tuple([count, count, count, count, count, count])),
});

const bundleSchema: z.ZodType<MatchBundle> = z.discriminatedUnion('format', [
  firstBundle,
  firstBundle.extend({
    format: z.literal(PACKING_BUNDLE_FORMAT),
    policy: firstPolicy.extend({ weightPackingBps: count, packing }),
  }),
]);

/** A bundle's contents as the engine takes them. */
export interface BundleContents {
  readonly bundle: MatchBundle;
  readonly snapshot: Snapshot;
  readonly policy: Policy;
}

/**
 * Reads a bundle's text, which must be exactly what its contents are written as, so that one content has one name.
 * Throws BundleInvalidError.
 */
export function decodeBundle(text: string): BundleContents {
  const bundle = parseBundle(text);
  requireCounted('providers', bundle.providers);
  requireCounted('machines', bundle.machines);
  if (encodeBundle(bundle) !== text) throw new BundleInvalidError('text', 'is not written as bundles are');
  try {
    return {
      bundle,
      snapshot: {
        round: bundle.round,
        blockNumber: bundle.snapshotBlock,
        snapshotHash: bundle.snapshotHash,
        timestampSeconds: bundle.timestampSeconds,
        orders: ordersFrom(bundle.orders),
        bids: bidsFrom(bundle.bids),
        market: marketFrom(bundle.providers, bundle.machines),
      },
      policy: {
        weightPackingBps: 0,
        packing: null,
        ...bundle.policy,
        minTotalStake: BigInt(bundle.policy.minTotalStake),
      },
    };
  } catch (error) {
    if (error instanceof MatchmakerError) throw new BundleInvalidError('rows', `hold no market: ${error.message}`);
    throw new BundleInvalidError('orders', 'hold a spec that does not decode');
  }
}

function parseBundle(text: string): MatchBundle {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new BundleInvalidError('text', 'is not JSON');
  }
  const parsed = bundleSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new BundleInvalidError(issue?.path.join('.') || '(root)', issue?.message ?? 'is not as it must be');
}

/** Ids are given out one by one, so every table of them has no hole. */
function requireCounted(table: string, rows: readonly (readonly [number, ...unknown[]])[]): void {
  rows.forEach(([id], index) => {
    if (id !== index + 1) throw new BundleInvalidError(`${table}.${index}`, `has id ${id} where ${index + 1} must be`);
  });
}
