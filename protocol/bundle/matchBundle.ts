import { keccak256, stringToBytes } from 'viem';
import type { Address, Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import type { PackingTerms, Policy } from '../../engine/policy.js';
import type { Snapshot } from '../../engine/snapshot.js';
import { bidRows, machineRows, orderRows, providerRows } from './snapshotRows.js';
import type { BidRow, MachineRow, OrderRow, ProviderRow } from './snapshotRows.js';

/** Name and version of the file format: the second has what version 2 of the rules added to a policy. */
export const BUNDLE_FORMAT = 'matchmaker-bundle/1';
export const PACKING_BUNDLE_FORMAT = 'matchmaker-bundle/2';

type Added = 'weightPackingBps' | 'packing';

/** A policy as on chain; `minTotalStake` is a decimal string. Without packing terms it is written as before there were any. */
export type BundlePolicy = Omit<Policy, 'minTotalStake' | Added> & { readonly minTotalStake: string } & (
    { readonly [name in Added]: Policy[name] & {} } | { readonly [name in Added]?: never }
  );

/** What a round's batch names beside its snapshot and its policy. */
export interface BundleTerms {
  readonly chainId: number;
  readonly settlement: Address;
  readonly operatorSetKey: Hex;
  /** Reference timestamp of the round's operator table, seconds. */
  readonly tableTimestamp: number;
  readonly tableHash: Hex;
}

/** What a round's operators sign: claimed by a bundle, recomputed by whoever verifies it. */
export interface BundleResult {
  readonly matchCount: number;
  readonly recordsHash: Hex;
  /** Digest of the batch; null for a round without matches, of which nothing is signed. */
  readonly messageHash: Hex | null;
}

/** Everything a round's result depended on, and the result. */
export interface MatchBundle extends BundleTerms, BundleResult {
  readonly format: typeof BUNDLE_FORMAT | typeof PACKING_BUNDLE_FORMAT;
  readonly round: number;
  readonly snapshotBlock: number;
  readonly snapshotHash: Hex;
  readonly timestampSeconds: number;
  readonly policy: BundlePolicy;
  readonly providers: readonly ProviderRow[];
  readonly machines: readonly MachineRow[];
  readonly orders: readonly OrderRow[];
  readonly bids: readonly BidRow[];
}

/** A file that is no bundle, or not exactly what its contents would be written as. */
export class BundleInvalidError extends MatchmakerError<'BUNDLE_INVALID'> {
  constructor(field: string, problem: string) {
    super('BUNDLE_INVALID', `bundle: ${field} ${problem}`, { metadata: { field, problem } });
  }
}

/** The bundle of a round from what the engine read, and what it made of it. */
export function bundleOf(snapshot: Snapshot, policy: Policy, terms: BundleTerms, result: BundleResult): MatchBundle {
  return {
    format: policy.packing === null ? BUNDLE_FORMAT : PACKING_BUNDLE_FORMAT,
    chainId: terms.chainId,
    settlement: lowerCase(terms.settlement),
    operatorSetKey: lowerCase(terms.operatorSetKey),
    round: snapshot.round,
    snapshotBlock: snapshot.blockNumber,
    snapshotHash: lowerCase(snapshot.snapshotHash),
    timestampSeconds: snapshot.timestampSeconds,
    tableTimestamp: terms.tableTimestamp,
    tableHash: lowerCase(terms.tableHash),
    policy: {
      rulesVersion: policy.rulesVersion,
      weightPriceBps: policy.weightPriceBps,
      weightStakeBps: policy.weightStakeBps,
      weightFitBps: policy.weightFitBps,
      weightRegionBps: policy.weightRegionBps,
      weightUptimeBps: policy.weightUptimeBps,
      weightReputationBps: policy.weightReputationBps,
      saturationWhole: policy.saturationWhole,
      complianceCapBps: policy.complianceCapBps,
      jitterRange: policy.jitterRange,
      defaultUptimeBps: policy.defaultUptimeBps,
      defaultReputationBps: policy.defaultReputationBps,
      maxMatches: policy.maxMatches,
      quorumBps: policy.quorumBps,
      minTotalStake: policy.minTotalStake.toString(),
      maxTableAgeSeconds: policy.maxTableAgeSeconds,
      coolRounds: policy.coolRounds,
      selfMatchRounds: policy.selfMatchRounds,
      ...(policy.packing === null
        ? {}
        : { weightPackingBps: policy.weightPackingBps, packing: packingOf(policy.packing) }),
    },
    matchCount: result.matchCount,
    recordsHash: lowerCase(result.recordsHash),
    messageHash: result.messageHash === null ? null : lowerCase(result.messageHash),
    providers: providerRows(snapshot.market),
    machines: machineRows(snapshot.market),
    orders: orderRows(snapshot.orders),
    bids: bidRows(snapshot.bids),
  };
}

/** The terms with their fields in the order in which a bundle has them. */
function packingOf(terms: PackingTerms): PackingTerms {
  return {
    fromMilli: terms.fromMilli,
    value: terms.value,
    deviceWeight: terms.deviceWeight,
    cpuWeight: terms.cpuWeight,
    memoryWeight: terms.memoryWeight,
    cpuRate: terms.cpuRate,
    memoryRate: terms.memoryRate,
    models: terms.models,
    modelFactor: terms.modelFactor,
  };
}

/** The one text of a bundle: its fields in their order, one line each, and one line a row. */
export function encodeBundle(bundle: MatchBundle): string {
  const { providers, machines, orders, bids, ...head } = bundle;
  const fields = Object.entries(head).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const tables = Object.entries({ providers, machines, orders, bids }).map(
    ([name, rows]) => `${JSON.stringify(name)}:[${rows.map((row) => `\n${JSON.stringify(row)}`).join(',')}]`,
  );
  return `{\n${[...fields, ...tables].join(',\n')}\n}\n`;
}

/** What a bundle is named by: keccak256 of its text in UTF-8. */
export function bundleAddress(text: string): Hex {
  return keccak256(stringToBytes(text));
}

function lowerCase<Text extends Hex>(text: Text): Text {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- hex in lower case names the same bytes
  return text.toLowerCase() as Text;
}
