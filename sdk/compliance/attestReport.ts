import { iComplianceRegistryAbi } from '../../chain/contracts/generated/IComplianceRegistry.js';
import type { ComplianceReport } from './complianceReport.js';
import { type Written, eventOf, writeMarket, writtenBy } from '../calls/callMarket.js';
import type { MarketClient } from '../marketClient.js';

export interface AttestReportParameters {
  readonly providerId: number;
  readonly report: ComplianceReport;
}

export interface AttestReportReturnType extends Written {
  /** Place in the provider word, 0 to 3. */
  readonly index: number;
}

/**
 * Attests a report about a provider; replaces the auditor's own on it. Only accredited auditors with a full bond.
 * Throws the errors of `writeMarket`.
 *
 * @example
 * await attestReport(client, {
 *   providerId: 2,
 *   report: { standard: 1, scopeHash, reportHash, uri: 'https://…', issueDay: 20_000, expiryDay: 20_365, bps: 500 },
 * });
 */
export async function attestReport(
  client: MarketClient,
  { providerId, report }: AttestReportParameters,
): Promise<AttestReportReturnType> {
  const contract = { address: client.contracts.complianceRegistry, abi: iComplianceRegistryAbi } as const;
  const receipt = await writeMarket(client, { ...contract, functionName: 'attest', args: [providerId, report] });
  const { index } = eventOf(receipt, { ...contract, eventName: 'ReportAttested' });
  return { ...writtenBy(receipt), index };
}
