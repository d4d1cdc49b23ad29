import { setTimeout as sleep } from 'node:timers/promises';
import { encodeDeployData, encodeFunctionData, type Address, type Hex } from 'viem';
import { devAccounts, type DevAccount } from '../../devnet/devAccounts.js';
import { startAnvil, type Anvil } from '../../devnet/startAnvil.js';
import { devnetTokenAbi, devnetTokenBytecode } from '../../chain/contracts/generated/DevnetToken.js';
import { MinedBlocks } from '../../chain/deploy/minedBlocks.js';
import { TransactionLane } from '../../chain/deploy/transactionLane.js';
import { createRpc, type Rpc } from '../../chain/rpc/rpc.js';
import { deployEigenDevnet, type EigenDevnet } from '../../chain/eigenlayer/deployEigenDevnet.js';
import { deployStakeSide, type StakeSide } from '../../chain/eigenlayer/deployStakeSide.js';
import { deployStrategy } from '../../chain/eigenlayer/deployStrategy.js';
import { generatorInfo } from '../../chain/eigenlayer/generatorKey.js';
import type { OperatorRegistration } from '../../chain/eigenlayer/registerOperator.js';

/** The scalar that table roots are signed with in these tests. */
export const GENERATOR_KEY = 0x6d61_7463_686d_616b_6572n;
export const WHOLE = 10n ** 18n;
export const UPDATE_CADENCE_SECONDS = 60;

/** A chain of its own with our EigenLayer and one operator set. */
export interface StakeChain {
  readonly anvil: Anvil;
  readonly rpc: Rpc;
  readonly eigenlayer: EigenDevnet;
  readonly stakeSide: StakeSide;
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

/** Starts the chain and deploys everything but operators. */
export async function startStakeChain(): Promise<StakeChain> {
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
      generatorSet: { avs: '0x00000000000000000000000000000000000000ee', id: 0 },
      generatorInfo: generatorInfo(GENERATOR_KEY),
    },
    { lane: lane(0) },
  );
  const stakeToken = await deployToken(lane(0));
  const { strategyFactory } = eigenlayer;
  const strategy = await deployStrategy({ strategyFactory, token: stakeToken }, { lane: lane(0), rpc });
  const stakeSide = await deployStakeSide(
    {
      eigenlayer,
      operatorSetId: 3,
      strategy,
      slasher: '0x00000000000000000000000000000000000051a5',
      redistributionRecipient: '0x000000000000000000000000000000000000fa17',
      metadataUri: 'https://matchmaker.example/avs.json',
      lookaheadBlocks: 5,
      maxStalenessSeconds: 3_600,
    },
    { lane: lane(0) },
  );

  return {
    anvil,
    rpc,
    eigenlayer,
    stakeSide,
    stakeToken,
    strategy,
    account,
    lane,
    fund: async (to, amount) => {
      const data = encodeFunctionData({ abi: devnetTokenAbi, functionName: 'mint', args: [to, amount] });
      await lane(0).run({ to: stakeToken, data, label: 'mint stake' });
    },
    registration: (index, stake) => ({
      eigenlayer,
      operatorSet: stakeSide.operatorSet,
      strategy,
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
