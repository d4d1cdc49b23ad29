import type { Hex } from 'viem';

/** An auditor's report about a provider, as the Solidity struct of the same name. */
export interface ComplianceReport {
  /** Standard, 1..63; config/catalogue/standards.json names them. */
  readonly standard: number;
  /** keccak256 of the scope statement. */
  readonly scopeHash: Hex;
  readonly reportHash: Hex;
  /** Where the report can be read, at most 256 bytes. */
  readonly uri: string;
  /** First and last day that count, in days since 1970. */
  readonly issueDay: number;
  readonly expiryDay: number;
  /** The bonus in hundredths of a percent, at most the auditor's maximum. */
  readonly bps: number;
}
