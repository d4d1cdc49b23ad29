import type { Address } from 'viem';
import type { ProviderFields } from '../../engine/market.js';
import { wordLayout } from './wordLayout.js';
import { addressOf } from './addressBits.js';

/** A provider's owner word, read neither by matching nor by settlement. */
export interface ProviderOwner {
  readonly owner: Address;
  readonly requiredStakeWhole: number;
  readonly machineCount: number;
}

/** One of a provider's four compliance reports as 32 bits in its score word. */
export interface ComplianceReport {
  readonly standard: number;
  /** Last day that counts, in days since 1970. */
  readonly expiryDay: number;
  readonly bps: number;
}

const layout = wordLayout(
  'provider',
  {
    stakeWhole: [224, 32],
    status: [221, 3],
    tier: [218, 3],
    uptimeBps: [204, 14],
    reputationBps: [190, 14],
    slashes: [182, 8],
    report0: [0, 32],
    report1: [32, 32],
    report2: [64, 32],
    report3: [96, 32],
  },
  { attributes: [128, 54] },
);

const ownerLayout = wordLayout(
  'provider owner',
  { requiredStakeWhole: [56, 40], machineCount: [0, 24] },
  { owner: [96, 160] },
);

const reportLayout = wordLayout('compliance report', { standard: [26, 6], expiryDay: [10, 16], bps: [0, 10] });

/** Decodes a provider's score word. */
export function decodeProviderWord(word: bigint): ProviderFields {
  const { report0, report1, report2, report3, ...fields } = layout.decode(word);
  return { ...fields, reports: [report0, report1, report2, report3] };
}

/** Encodes a provider's score word. Throws WordFieldInvalidError for a field outside its bits. */
export function encodeProviderWord(provider: ProviderFields): bigint {
  const [report0, report1, report2, report3] = provider.reports;
  return layout.encode({ ...provider, report0, report1, report2, report3 });
}

/** Encodes one compliance report as 32 bits. Throws WordFieldInvalidError for a field outside its bits. */
export function encodeComplianceReport(report: ComplianceReport): number {
  return Number(reportLayout.encode(report));
}

/** Decodes a provider's owner word. Throws WordMalformedError for set spare bits. */
export function decodeProviderOwnerWord(word: bigint): ProviderOwner {
  const { owner, ...fields } = ownerLayout.decode(word);
  return { ...fields, owner: addressOf(owner) };
}

/** Encodes a provider's owner word. Throws WordFieldInvalidError for a field outside its bits. */
export function encodeProviderOwnerWord(fields: ProviderOwner): bigint {
  return ownerLayout.encode({ ...fields, owner: BigInt(fields.owner) });
}
