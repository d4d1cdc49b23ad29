import { setTimeout as sleep } from 'node:timers/promises';
import { encodeDeployData, encodeFunctionData, type Address, type Hex } from 'viem';
import { devAccounts, type DevAccount } from '../../devnet/devAccounts.js';
import { startAnvil, type Anvil } from '../../devnet/startAnvil.js';
import { devnetTokenAbi, devnetTokenBytecode } from '../../chain/contracts/generated/DevnetToken.js';
import { MinedBlocks } from '../../chain/deploy/minedBlocks.js';
import { DeployProgress } from '../../chain/deploy/deployProgress.js';
import { TransactionLane } from '../../chain/deploy/transactionLane.js';
import { createRpc, type Rpc } from '../../chain/rpc/rpc.js';
import { deployEigenDevnet, type EigenDevnet } from '../../chain/eigenlayer/deployEigenDevnet.js';
import { deployStakeSide, type StakeSide, type StakeSideParameters } from '../../chain/eigenlayer/deployStakeSide.js';
import { generatorInfo } from '../../chain/eigenlayer/generatorKey.js';
import type { OperatorSet } from '../../protocol/operatorSet.js';
import type { Curve } from '../../protocol/operatorTable.js';
import { testDeployment } from './testDeployment.js';
import type { OperatorRegistration } from '../../chain/eigenlayer/registerOperator.js';

/** The scalar that table roots are signed with in these tests. */
export const GENERATOR_KEY = 0x6d61_7463_686d_616b_6572n;
export const WHOLE = 10n ** 18n;
export const UPDATE_CADENCE_SECONDS = 60;
const NOBODY: Address = '0x000000000000000000000000000000000000fa17';

/** A chain of its own with our EigenLayer and one operator set. */
export interface StakeChain {
  readonly anvil: Anvil;
  readonly rpc: Rpc;
  readonly eigenlayer: EigenDevnet;
  /** The stake side of a market that is nowhere. */
  readonly stakeSide: StakeSide['stake'] & { readonly operatorSet: OperatorSet };
  readonly stakeToken: Address;
  readonly strategy: Address;
  readonly account: (index: number) => DevAccount;
  /** Sends with the account of that index; the deployer and AVS is 0. */
  readonly lane: (index: number) => TransactionLane;
  /** Gives an account stake tokens. */
  readonly fund: (account: Address, amount: bigint) => Promise<void>;
  /** A registration with that own stake, by the account of the index; the signing key is that of index + 100. */
  readonly registration: (index: number, stake: bigint) => OperatorRegistration;
  readonly stop: () => Promise<void>;
}

/** Starts the chain and deploys everything but operators; `terms` are those of the AVS that differ from the fixture's. */
export async function startStakeChain(
  terms: Partial<StakeSideParameters['terms']> = {},
  curve: Curve = 'ecdsa',
): Promise<StakeChain> {
  const anvil = await startAnvil({ mining: 'instant' });
  const rpc = createRpc({ url: anvil.url, requestTimeoutMs: 10_000 });
  const blocks = new MinedBlocks({ pollIntervalMs: 10 }, { rpc, now: Date.now, sleep: (ms) => sleep(ms) });
  await blocks.start();
  const account = devAccounts();
  const lanes = new Map<number, TransactionLane>();
  const lane = (index: number): TransactionLane => {
    const existing = lanes.get(index);
    if (existing !== undefined) return existing;
    const fees = { priorityFeePerGas: 1_000_000_000n, maxFeePerGas: 100_000_000_000n };
    const created = new TransactionLane(
      { chainId: anvil.chainId, privateKey: account(index).privateKey, ...fees },
      { rpc, blocks, now: Date.now },
    );
    lanes.set(index, created);
    return created;
  };

  const eigenlayer = await deployEigenDevnet(
    {
      deallocationDelayBlocks: 10,
      allocationConfigurationDelayBlocks: 15,
      tableUpdateCadenceSeconds: UPDATE_CADENCE_SECONDS,
      pauser: lane(0).address,
      rewards: {
        rewardsUpdater: lane(0).address,
        calculationIntervalSeconds: 60,
        maxRewardsDurationSeconds: 6_048_000,
        maxRetroactiveSeconds: 14_515_200,
        maxFutureSeconds: 2_592_000,
        genesisTimestamp: 1_710_979_200,
        activationDelaySeconds: 1,
        defaultOperatorSplitBips: 1_000,
      },
      generatorSet: { avs: '0x00000000000000000000000000000000000000ee', id: 0 },
      generatorInfo: generatorInfo(GENERATOR_KEY),
    },
    { lane: lane(0) },
  );
  const stakeToken = await deployToken(lane(0));
  const operatorSet = { avs: lane(0).address.toLowerCase() as Address, id: 3 };
  const side = stakeSideParameters({
    chainId: anvil.chainId,
    eigenlayer,
    operatorSet,
    stake: { token: stakeToken },
    curve,
  });
  const deployed = await deployStakeSide(
    { ...side, terms: { ...side.terms, ...terms } },
    {
      lane: lane(0),
      rpc,
      progress: DeployProgress.inMemory({ chainId: anvil.chainId, deployer: lane(0).address, firstBlock: 0 }),
    },
  );

  return {
    anvil,
    rpc,
    eigenlayer,
    stakeSide: { operatorSet, ...deployed.stake },
    stakeToken,
    strategy: deployed.strategy,
    account,
    lane,
    fund: async (to, amount) => {
      const data = encodeFunctionData({ abi: devnetTokenAbi, functionName: 'mint', args: [to, amount] });
      await lane(0).run({ to: stakeToken, data, label: 'mint stake' });
    },
    registration: (index, stake) => ({
      eigenlayer,
      operatorSet,
      strategy: deployed.strategy,
      stakeToken,
      stake,
      magnitude: WHOLE,
      signingKey: account(index + 100).privateKey,
      socket: `http://127.0.0.1:${9_000 + index}`,
      metadataUri: 'https://operator.example/metadata.json',
      allocationDelayBlocks: 0,
    }),
    stop: async () => {
      await blocks.stop();
      await anvil.stop();
    },
  };
}

/** The stake side of a market that is nowhere, for tests that need none. */
export function stakeSideParameters(
  parameters: Pick<StakeSideParameters, 'chainId' | 'stake'> & {
    readonly eigenlayer: EigenDevnet;
    readonly operatorSet: OperatorSet;
    /** Default ECDSA. */
    readonly curve?: Curve;
  },
): StakeSideParameters {
  const { chainId, eigenlayer, operatorSet, stake, curve = 'ecdsa' } = parameters;
  const market = testDeployment();
  return {
    chainId,
    blockTimeMs: 1_000,
    economicSecurity: false,
    eigenlayer: { ...eigenlayer, releaseManager: null },
    market: { ...market, operatorSet, quorum: { ...market.quorum, curve } },
    stake,
    terms: {
      maxStalenessSeconds: 3_600,
      challengeWindowSeconds: 600,
      equivocationBps: 500,
      wrongBatchBps: 5_000,
      challengerBps: 1_000,
      victimBps: 2_500,
      claimPeriodSeconds: 600,
      minimumShares: 1n,
    },
    vaultOwner: NOBODY,
    treasury: NOBODY,
    metadataUri: 'https://matchmaker.example/avs.json',
    lookaheadBlocks: 5,
  };
}

async function deployToken(lane: TransactionLane): Promise<Address> {
  const data: Hex = encodeDeployData({
    abi: devnetTokenAbi,
    bytecode: devnetTokenBytecode,
    args: ['Stake', 'STK', 18],
  });
  const { contractAddress } = await lane.run({ data, label: 'deploy stake token' });
  if (contractAddress === null) throw new Error('the stake token was not deployed');
  return contractAddress;
}
