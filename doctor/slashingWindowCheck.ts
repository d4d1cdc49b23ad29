import { parseAbi, type Address } from 'viem';

import { iAllocationManagerAbi } from '../chain/contracts/generated/IAllocationManager.js';
import { readEigen } from '../chain/eigenlayer/eigenCall.js';
import { readSlashingWindow } from '../chain/eigenlayer/readSlashingWindow.js';
import { describeSlashingWindow } from '../chain/eigenlayer/slashingWindow.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import { codeAt } from '../chain/rpc/rpcCall.js';
import { failed, ok, skipped, warning, type Finding } from './finding.js';
import type { Patient } from './patient.js';

const slasherAbi = parseAbi(['function judge() view returns (address)']);
const judgeAbi = parseAbi(['function challengeWindowSeconds() view returns (uint32)']);

const WORTHLESS = 'a network without economic security: for trying things out, never for value';

/** Stake behind a signature stays slashable until a wrong match can have been proven. */
export async function checkSlashingWindow(patient: Patient): Promise<Finding> {
  const { deployment, stakeRpc, role } = patient;
  if (role === 'aggregator' || stakeRpc === null) return skipped('the stake chain is out of sight');
  const slasher = await readEigen(stakeRpc, {
    address: deployment.eigenlayer.allocationManager,
    abi: iAllocationManagerAbi,
    functionName: 'getSlasher',
    args: [deployment.operatorSet],
  });
  if ((await stakeRpc.request(codeAt(slasher, 'latest'))) === '0x') {
    const text = `the operator set's slasher is ${slasher}, an account and no contract: it can slash at will`;
    return deployment.economicSecurity
      ? failed(text, 'join only a set whose slasher is the judge of the deployment')
      : warning(text, WORTHLESS);
  }
  const window = await readSlashingWindow(
    {
      ...deployment,
      challengeWindowSeconds: await challengeWindowOf(slasher, stakeRpc),
      policyMaxTableAgeSeconds: await patient.maxTableAgeSeconds(),
    },
    { stakeRpc },
  );
  const text = describeSlashingWindow(window);
  if (window.shortfallSeconds === 0) return ok(text);
  return deployment.economicSecurity
    ? failed(
        text,
        "governance must shorten the table's age or the challenge window before stake is worth anything here",
      )
    : warning(text, WORTHLESS);
}

async function challengeWindowOf(slasher: Address, rpc: Rpc): Promise<number> {
  const judge = await readEigen(rpc, { address: slasher, abi: slasherAbi, functionName: 'judge', args: [] });
  return readEigen(rpc, { address: judge, abi: judgeAbi, functionName: 'challengeWindowSeconds', args: [] });
}
