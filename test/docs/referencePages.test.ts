import { readFileSync, writeFileSync } from 'node:fs';

import { expect, test } from '@jest/globals';
import { format, resolveConfig } from 'prettier';
import type { Abi } from 'viem';

import { iBidAbi } from '../../chain/contracts/generated/IBid.js';
import { iCertificateRegistryAbi } from '../../chain/contracts/generated/ICertificateRegistry.js';
import { iComplianceRegistryAbi } from '../../chain/contracts/generated/IComplianceRegistry.js';
import { iComputeLeaseAbi } from '../../chain/contracts/generated/IComputeLease.js';
import { iEscrowAbi } from '../../chain/contracts/generated/IEscrow.js';
import { iMarketPauseAbi } from '../../chain/contracts/generated/IMarketPause.js';
import { iMatchPolicyAbi } from '../../chain/contracts/generated/IMatchPolicy.js';
import { iMatchSettlementAbi } from '../../chain/contracts/generated/IMatchSettlement.js';
import { iOrderRequestAbi } from '../../chain/contracts/generated/IOrderRequest.js';
import { iProviderAdmissionAbi } from '../../chain/contracts/generated/IProviderAdmission.js';
import { iProviderAttributesAbi } from '../../chain/contracts/generated/IProviderAttributes.js';
import { iProviderRegistryAbi } from '../../chain/contracts/generated/IProviderRegistry.js';
import { iRewarderAbi } from '../../chain/contracts/generated/IRewarder.js';
import { iRewardOracleAbi } from '../../chain/contracts/generated/IRewardOracle.js';
import { iStakingManagerAbi } from '../../chain/contracts/generated/IStakingManager.js';
import { iTokenRegistryAbi } from '../../chain/contracts/generated/ITokenRegistry.js';
import { buildProgram } from '../../cli/program.js';
import { marketErrorsAbi } from '../../sdk/calls/marketErrorsAbi.js';
import { commandsPage, contractsPage } from './referencePages.js';

const INTERFACES: ReadonlyMap<string, Abi> = new Map<string, Abi>([
  ['OrderRequest', iOrderRequestAbi],
  ['Bid', iBidAbi],
  ['ComputeLease', iComputeLeaseAbi],
  ['Escrow', iEscrowAbi],
  ['ProviderRegistry', iProviderRegistryAbi],
  ['ProviderAdmission', iProviderAdmissionAbi],
  ['ProviderAttributes', iProviderAttributesAbi],
  ['CertificateRegistry', iCertificateRegistryAbi],
  ['StakingManager', iStakingManagerAbi],
  ['ComplianceRegistry', iComplianceRegistryAbi],
  ['MatchSettlement', iMatchSettlementAbi],
  ['MatchPolicy', iMatchPolicyAbi],
  ['RewardOracle', iRewardOracleAbi],
  ['Rewarder', iRewarderAbi],
  ['TokenRegistry', iTokenRegistryAbi],
  ['MarketPause', iMarketPauseAbi],
]);

test.each([
  ['docs/commands.md', () => commandsPage(buildProgram(() => undefined))],
  ['docs/contracts.md', () => contractsPage(INTERFACES, marketErrorsAbi)],
])('%s is what the commands, ABIs and advice make of it', async (file, write) => {
  const page = await format(write(), { ...(await resolveConfig(file)), parser: 'markdown' });
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(file, page);
  expect(readFileSync(file, 'utf8')).toBe(page);
});
