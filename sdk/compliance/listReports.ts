import type { Address } from 'viem';
import { iComplianceRegistryAbi } from '../../chain/contracts/generated/IComplianceRegistry.js';
import { iProviderRegistryAbi } from '../../chain/contracts/generated/IProviderRegistry.js';
import { decodeProviderWord } from '../../protocol/words/providerWord.js';
import { readMarket } from '../calls/callMarket.js';
import { readBlock } from '../calls/readBlock.js';
import { readLogs } from '../calls/readLogs.js';
import type { MarketClient } from '../marketClient.js';
import type { ComplianceReport } from './complianceReport.js';

export interface ListReportsParameters {
  readonly providerId: number;
}

/** A report that stands in a provider's word. */
export interface StandingReport {
  /** Place in the word, 0 to 3. */
  readonly index: number;
  readonly auditor: Address;
  readonly report: ComplianceReport;
  /** False once its last day is over; it then counts for nothing. */
  readonly counts: boolean;
}

export interface ListReportsReturnType {
  readonly reports: readonly StandingReport[];
  /** 10000 plus the counting reports, before the policy's cap. */
  readonly complianceBps: number;
}

const SECONDS_A_DAY = 86_400n;

/**
 * Auditors' reports that stand about a provider, and the bonus they sum to now.
 * Throws MarketCallRefusedError `ProviderNotFound`, and the errors of `readMarket`.
 *
 * @example
 * const { reports, complianceBps } = await listReports(client, { providerId: 2 });
 */
export async function listReports(
  client: MarketClient,
  { providerId }: ListReportsParameters,
): Promise<ListReportsReturnType> {
  const contract = { address: client.contracts.complianceRegistry, abi: iComplianceRegistryAbi } as const;
  const { timestamp } = await readBlock(client);
  const [word, attested, complianceBps] = await Promise.all([
    readMarket(client, {
      address: client.contracts.providerRegistry,
      abi: iProviderRegistryAbi,
      functionName: 'providerWord',
      args: [providerId],
    }),
    readLogs(client, { ...contract, eventName: 'ReportAttested', args: { providerId } }),
    readMarket(client, { ...contract, functionName: 'complianceBps', args: [providerId, timestamp] }),
  ]);
  const reports: StandingReport[] = [];
  for (const [index, standing] of decodeProviderWord(BigInt(word)).reports.entries()) {
    const newest = attested.findLast(({ args }) => args.index === index);
    if (standing === 0 || newest === undefined) continue;
    const { auditor, report } = newest.args;
    reports.push({ index, auditor, report, counts: timestamp / SECONDS_A_DAY <= BigInt(report.expiryDay) });
  }
  return { reports, complianceBps: Number(complianceBps) };
}
