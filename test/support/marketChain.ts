import { decodeErrorResult, decodeFunctionResult, encodeDeployData, encodeFunctionData, zeroAddress } from 'viem';
import type { Abi, Address, Hex } from 'viem';
import { bidAbi } from '../../chain/contracts/generated/Bid.js';
import { computeLeaseAbi } from '../../chain/contracts/generated/ComputeLease.js';
import {
  devnetECDSACertificateVerifierAbi,
  devnetECDSACertificateVerifierBytecode,
} from '../../chain/contracts/generated/DevnetECDSACertificateVerifier.js';
import { devnetTokenAbi, devnetTokenBytecode } from '../../chain/contracts/generated/DevnetToken.js';
import { escrowAbi } from '../../chain/contracts/generated/Escrow.js';
import { matchPolicyAbi } from '../../chain/contracts/generated/MatchPolicy.js';
import { matchSettlementAbi } from '../../chain/contracts/generated/MatchSettlement.js';
import { orderRequestAbi } from '../../chain/contracts/generated/OrderRequest.js';
import { providerAdmissionAbi } from '../../chain/contracts/generated/ProviderAdmission.js';
import { providerRegistryAbi } from '../../chain/contracts/generated/ProviderRegistry.js';
import { stakingManagerAbi } from '../../chain/contracts/generated/StakingManager.js';
import { tokenRegistryAbi } from '../../chain/contracts/generated/TokenRegistry.js';
import { deployMarket } from '../../chain/deploy/deployMarket.js';
import { MinedBlocks } from '../../chain/deploy/minedBlocks.js';
import { TransactionLane } from '../../chain/deploy/transactionLane.js';
import type { Deployment } from '../../chain/deployment.js';
import { createRpc, RpcAnswerError } from '../../chain/rpc/rpc.js';
import type { Rpc } from '../../chain/rpc/rpc.js';
import { callAt, latestBlock, transactionReceipt } from '../../chain/rpc/rpcCall.js';
import type { Block, Receipt, RpcCall } from '../../chain/rpc/rpcCall.js';
import { devAccounts } from '../../devnet/devAccounts.js';
import type { DevAccount } from '../../devnet/devAccounts.js';
import { loadDevnetEconomy } from '../../devnet/parameters.js';
import { startAnvil } from '../../devnet/startAnvil.js';
import type { Anvil } from '../../devnet/startAnvil.js';
import type { Policy } from '../../engine/policy.js';
import { encodeCertificate, quorumDigest } from '../../protocol/certificate.js';
import type { MatchBatch } from '../../protocol/matchBatch.js';
import type { TableEntry } from '../../protocol/operatorTable.js';
import type { OrderSpec } from '../../protocol/orderSpec.js';
import { NO_PACKING } from '../../protocol/packingHash.js';
import { policyStructOf } from '../../protocol/policyStruct.js';

/** The policy of DESIGN section 4, with a table that never ages in a test. */
export const TEST_POLICY: Policy = {
  rulesVersion: 1,
  weightPriceBps: 4500,
  weightStakeBps: 1500,
  weightFitBps: 1500,
  weightRegionBps: 1000,
  weightUptimeBps: 1000,
  weightReputationBps: 500,
  saturationWhole: 100_000,
  complianceCapBps: 12_000,
  jitterRange: 6_000_000_000,
  defaultUptimeBps: 9500,
  defaultReputationBps: 5000,
  maxMatches: 512,
  quorumBps: 6667,
  minTotalStake: 1n,
  maxTableAgeSeconds: 1_000_000_000,
  coolRounds: 10,
  selfMatchRounds: 30,
  weightPackingBps: 0,
  packing: null,
};

/** An order that any GPU machine of the fixture can take. */
export const TEST_ORDER: OrderSpec = {
  milliGpu: 1000,
  cpuMilli: 4000,
  memoryMib: 8192,
  storageGib: 50,
  models: [],
  regions: [],
  regionsExcluded: [],
  providersWanted: [],
  providersExcluded: [],
  tiers: 0,
  attributes: 0n,
  regionRequired: false,
  minUptimeBps: 0,
  minReputationBps: 0,
  maxSlashes: 255,
  tokenId: 1,
  maxPriceMicroPerHour: 5_000_000,
  durationMinutes: 60,
};

const DEPLOYER = 1;
const TENANT = 2;
const FIRST_PROVIDER = 3;
const FIRST_OPERATOR = 7;
const AVS: Address = '0x00000000000000000000000000000000000000a5';
/** Stands for the operator table updater: its code (return 1) says of every root that it is valid. */
const UPDATER: Address = '0x00000000000000000000000000000000000000ab';
const UPDATER_CODE: Hex = '0x600160005260206000f3';
/** What a provider of the fixture stakes, enough for all of its machines. */
const PROVIDER_STAKE = 100_000n * 10n ** 18n;
const NOBODY: Address = '0x00000000000000000000000000000000000000ff';

/** A whole market on its own anvil, mined block by block as a test says; the operator table is set by the fixture itself. */
export class MarketChain {
  readonly anvil: Anvil;
  readonly rpc: Rpc;
  readonly deployment: Deployment;
  readonly account: (index: number) => DevAccount;
  readonly operators: readonly DevAccount[];
  #tableTimestamp: number;
  #entries: readonly TableEntry[] = [];
  #lastSent: Promise<unknown> = Promise.resolve();

  private constructor(parts: {
    anvil: Anvil;
    rpc: Rpc;
    deployment: Deployment;
    account: (index: number) => DevAccount;
    operators: readonly DevAccount[];
    tableTimestamp: number;
  }) {
    this.anvil = parts.anvil;
    this.rpc = parts.rpc;
    this.deployment = parts.deployment;
    this.account = parts.account;
    this.operators = parts.operators;
    this.#tableTimestamp = parts.tableTimestamp;
  }

  /** Starts anvil, deploys the market and records an operator table; from then on blocks are mined by `mine` alone. */
  static async start(
    options: {
      roundLengthBlocks?: number;
      operatorWeights?: readonly bigint[];
      checkedBy?: Deployment['quorum']['checkedBy'];
    } = {},
  ): Promise<MarketChain> {
    const anvil = await startAnvil({ mining: 'instant', accounts: 12 });
    try {
      const rpc = createRpc({ url: anvil.url, requestTimeoutMs: 10_000, chainId: anvil.chainId });
      const account = devAccounts();
      const blocks = new MinedBlocks(
        { pollIntervalMs: 5 },
        { rpc, now: Date.now, sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) },
      );
      await blocks.start();
      const lane = new TransactionLane(
        {
          chainId: anvil.chainId,
          privateKey: account(DEPLOYER).privateKey,
          priorityFeePerGas: 1n,
          maxFeePerGas: 10n ** 12n,
        },
        { rpc, blocks, now: Date.now },
      );
      const create = async (data: Hex, label: string) => (await lane.run({ data, label })).contractAddress as Address;
      const token = await create(
        encodeDeployData({ abi: devnetTokenAbi, bytecode: devnetTokenBytecode, args: ['Test Dollar', 'TUSD', 6] }),
        'token',
      );
      const stakingToken = await create(
        encodeDeployData({ abi: devnetTokenAbi, bytecode: devnetTokenBytecode, args: ['Test Stake', 'TSTK', 18] }),
        'staking token',
      );
      const verifier = await create(
        encodeDeployData({
          abi: devnetECDSACertificateVerifierAbi,
          bytecode: devnetECDSACertificateVerifierBytecode,
          args: [UPDATER],
        }),
        'verifier',
      );
      const market = await deployMarket(
        {
          name: 'test',
          chainId: anvil.chainId,
          blockTimeMs: 250,
          economicSecurity: false,
          arbSys: false,
          roundLengthBlocks: options.roundLengthBlocks ?? 4,
          bidWindowBlocks: 1,
          policy: TEST_POLICY,
          economy: loadDevnetEconomy(),
          eraZero: 1,
          stakingToken,
          rewardToken: stakingToken,
          paymentTokens: [{ address: token, minimumDeposit: 1n }],
          resources: [],
          feeds: { rewardToken: NOBODY, native: NOBODY, sequencer: zeroAddress },
          roles: {
            governor: account(DEPLOYER).account.address,
            providerVerifier: NOBODY,
            scoreOracle: NOBODY,
            complianceOfficer: NOBODY,
            providerApprover: NOBODY,
            council: [],
            slasher: NOBODY,
            parameters: account(DEPLOYER).account.address,
            upgrader: NOBODY,
            guardian: NOBODY,
            rewardPoster: NOBODY,
            rewardGuardian: NOBODY,
          },
          treasury: NOBODY,
          foundation: NOBODY,
          quorum: { curve: 'ecdsa', checkedBy: options.checkedBy ?? 'table' },
          stakeSide: {
            operatorSet: { avs: AVS, id: 0 },
            eigenlayer: {
              allocationManager: NOBODY,
              delegationManager: NOBODY,
              strategyManager: NOBODY,
              strategyFactory: NOBODY,
              rewardsCoordinator: NOBODY,
              keyRegistrar: NOBODY,
              crossChainRegistry: NOBODY,
              operatorTableUpdater: UPDATER,
              ecdsaCertificateVerifier: verifier,
              bn254CertificateVerifier: NOBODY,
              permissionController: NOBODY,
            },
          },
        },
        { lane },
      );
      const deployment: Deployment = {
        ...market,
        stake: {
          chainId: market.chainId,
          deploymentBlock: market.deploymentBlock,
          blockTimeMs: market.blockTimeMs,
          registrar: NOBODY,
          calculator: NOBODY,
          judge: NOBODY,
          slasher: NOBODY,
          vault: NOBODY,
        },
        stakeToken: stakingToken,
        strategy: NOBODY,
      };
      await blocks.stop();
      await rpc.batch([
        control('anvil_setCode', [UPDATER, UPDATER_CODE]),
        control('anvil_setBalance', [UPDATER, '0xde0b6b3a7640000']),
        control('anvil_impersonateAccount', [UPDATER]),
        control('evm_setAutomine', [false]),
      ]);

      const weights = options.operatorWeights ?? [100n];
      const operators = weights.map((_, index) => account(FIRST_OPERATOR + index));
      const { timestamp } = await rpc.request(latestBlock());
      const chain = new MarketChain({ anvil, rpc, deployment, account, operators, tableTimestamp: timestamp });
      await chain.setOperatorTable(weights);
      const tenant = account(TENANT).account.address;
      await chain.mined([
        chain.call(DEPLOYER, token, devnetTokenAbi, 'mint', [tenant, 10n ** 15n]),
        chain.call(TENANT, token, devnetTokenAbi, 'approve', [deployment.contracts.escrow, 10n ** 15n]),
      ]);
      await chain.mined([chain.call(TENANT, deployment.contracts.escrow, escrowAbi, 'deposit', [1, 10n ** 14n])]);
      return chain;
    } catch (error) {
      await anvil.stop();
      throw error;
    }
  }

  stop(): Promise<void> {
    return this.anvil.stop();
  }

  /** Mines empty blocks, or one with what is waiting; returns the newest. */
  async mine(blocks = 1): Promise<Block> {
    for (let block = 0; block < blocks; block++) await this.rpc.request(control('evm_mine', []));
    return this.rpc.request(latestBlock());
  }

  /** Mines until block `number`. */
  async mineTo(number: number): Promise<Block> {
    const { number: now } = await this.rpc.request(latestBlock());
    return number > now ? this.mine(number - now) : this.rpc.request(latestBlock());
  }

  /** Sends a contract call from an unlocked account, by index or address; it waits for a block. */
  call(from: number | Address, to: Address, abi: Abi, functionName: string, args: readonly unknown[]): Promise<Hex> {
    const data = encodeFunctionData({ abi, functionName, args });
    const sender = typeof from === 'number' ? this.account(from).account.address : from;
    const transaction = { from: sender, to, data, gas: '0x1e8480' };
    // The node numbers an account's transactions as they come; two at once would get one nonce.
    const sent = this.#lastSent.then(() =>
      this.rpc.request({ method: 'eth_sendTransaction', params: [transaction], decode: (raw) => raw as Hex }),
    );
    this.#lastSent = sent.catch(() => undefined);
    return sent;
  }

  /** Mines one block with the given transactions and returns their receipts; fails when one of them reverted. */
  async mined(sent: readonly Promise<Hex>[]): Promise<Receipt[]> {
    const hashes = await Promise.all(sent);
    await this.mine();
    const receipts = await this.rpc.batch(hashes.map((hash) => transactionReceipt(hash)));
    return Promise.all(
      receipts.map(async (receipt, index) => {
        if (receipt?.succeeded === true) return receipt;
        throw new Error(
          `transaction ${index} ${receipt === null ? 'was not mined' : `reverted: ${await this.#revertReason(receipt)}`}`,
        );
      }),
    );
  }

  async #revertReason({ transactionHash, blockHash }: Receipt): Promise<string> {
    const { from, to, input } = (await this.rpc.request(
      control('eth_getTransactionByHash', [transactionHash]),
    )) as Record<string, Hex>;
    const failure = await this.rpc
      .request({ method: 'eth_call', params: [{ from, to, data: input }, { blockHash }], decode: String })
      .catch((error: unknown) => error);
    const data = failure instanceof RpcAnswerError ? failure.data : null;
    if (data === null || data === '0x') return String(failure);
    const abi: Abi = [
      matchSettlementAbi,
      orderRequestAbi,
      providerRegistryAbi,
      devnetECDSACertificateVerifierAbi,
    ].flat();
    return JSON.stringify(decodeErrorResult({ abi, data }), (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
  }

  /** Gives the verifier a table of the operators with these weights, and settlement records it. */
  async setOperatorTable(weights: readonly bigint[]): Promise<void> {
    await this.transportTable(weights);
    const { matchSettlement } = this.deployment.contracts;
    await this.mined([this.call(DEPLOYER, matchSettlement, matchSettlementAbi, 'recordTable', ['0x'])]);
  }

  /** Gives the verifier a table of the operators with these weights, which settlement does not know yet. */
  async transportTable(weights: readonly bigint[]): Promise<void> {
    const { operatorSet, eigenlayer } = this.deployment;
    this.#tableTimestamp += 1;
    const infos = weights.map((weight, index) => ({
      pubkey: this.account(FIRST_OPERATOR + index).account.address,
      weights: [weight],
    }));
    this.#entries = infos.map(({ pubkey, weights: [weight = 0n] }) => ({ key: pubkey, weight }));
    const config = { owner: NOBODY, maxStalenessPeriod: 1_000_000_000 };
    await this.mined([
      this.call(
        UPDATER,
        eigenlayer.ecdsaCertificateVerifier,
        devnetECDSACertificateVerifierAbi,
        'updateOperatorTable',
        [operatorSet, this.#tableTimestamp, infos, config],
      ),
    ]);
  }

  /** Registers a provider with GPU machines that offer at the given prices (micro-units per GPU hour). */
  async addProvider(index: number, gpuPrices: readonly number[]): Promise<void> {
    const { providerAdmission, providerRegistry, stakingManager } = this.deployment.contracts;
    const { stakeToken } = this.deployment;
    const from = FIRST_PROVIDER + index;
    const proposal = {
      name: `provider ${index}`,
      hostUri: 'https://provider.example',
      region: 40,
      tier: 3,
      devices: 4 * gpuPrices.length,
      cores: 64 * gpuPrices.length,
    };
    await this.mined([
      this.call(from, stakeToken, devnetTokenAbi, 'mint', [this.account(from).account.address, PROVIDER_STAKE]),
      this.call(from, stakeToken, devnetTokenAbi, 'approve', [stakingManager, PROVIDER_STAKE]),
      this.call(from, providerAdmission, providerAdmissionAbi, 'propose', [proposal]),
    ]);
    await this.mined([
      this.call(from, stakingManager, stakingManagerAbi, 'stake', [index + 1, PROVIDER_STAKE]),
      this.call(from, providerRegistry, providerRegistryAbi, 'activateProvider', [index + 1]),
    ]);
    const spec = { model: 7, region: 40, cpuMilli: 64_000, memoryMib: 262_144, storageGib: 4_000, deviceCount: 4 };
    for (const gpuMicroPerHour of gpuPrices) {
      await this.mined([this.call(from, providerRegistry, providerRegistryAbi, 'registerMachine', [index + 1, spec])]);
      const machineId = await this.#machineCount();
      const terms = {
        tokenId: 1,
        gpuMicroPerHour,
        coreMicroPerHour: 10_000,
        memoryGibMicroPerHour: 1_000,
        storageTibMicroPerHour: 1_000,
      };
      await this.mined([
        this.call(from, providerRegistry, providerRegistryAbi, 'setOffer', [machineId, 0, terms]),
        this.call(from, providerRegistry, providerRegistryAbi, 'activateMachine', [machineId]),
      ]);
    }
  }

  /** Posts an order of the tenant; it waits for a block. */
  postOrder(spec: Partial<OrderSpec> = {}, expiresAtSeconds = 0xffff_ffff): Promise<Hex> {
    const order = { ...TEST_ORDER, ...spec };
    return this.call(TENANT, this.deployment.contracts.orderRequest, orderRequestAbi, 'createOrder', [
      order,
      expiresAtSeconds,
    ]);
  }

  /** Ends an order of the tenant; it waits for a block. */
  cancelOrder(orderId: number): Promise<Hex> {
    return this.call(TENANT, this.deployment.contracts.orderRequest, orderRequestAbi, 'cancel', [orderId]);
  }

  /** Closes a lease of the tenant; it waits for a block. */
  closeLease(orderId: number): Promise<Hex> {
    return this.call(TENANT, this.deployment.contracts.computeLease, computeLeaseAbi, 'closeLease', [orderId]);
  }

  /** Deposits `amount` of the payment token for a provider, who can then bond bids. */
  async fundProvider(index: number, amount: bigint): Promise<void> {
    const { tokenRegistry, escrow } = this.deployment.contracts;
    const data = encodeFunctionData({ abi: tokenRegistryAbi, functionName: 'tokenOf', args: [1] });
    const answer = await this.rpc.request(callAt({ to: tokenRegistry, data }, 'latest'));
    const [token] = decodeFunctionResult({ abi: tokenRegistryAbi, functionName: 'tokenOf', data: answer });
    const from = FIRST_PROVIDER + index;
    await this.mined([
      this.call(from, token, devnetTokenAbi, 'mint', [this.account(from).account.address, amount]),
      this.call(from, token, devnetTokenAbi, 'approve', [escrow, amount]),
    ]);
    await this.mined([this.call(from, escrow, escrowAbi, 'deposit', [1, amount])]);
  }

  /** Places a provider's bid on an order; it waits for a block. */
  placeBid(index: number, orderId: number, machineId: number, priceMicroPerHour: number): Promise<Hex> {
    return this.call(FIRST_PROVIDER + index, this.deployment.contracts.bid, bidAbi, 'placeBid', [
      orderId,
      machineId,
      priceMicroPerHour,
    ]);
  }

  /** A provider brings a machine back into the market from the next round on; it waits for a block. */
  activateMachine(index: number, machineId: number): Promise<Hex> {
    const { providerRegistry } = this.deployment.contracts;
    return this.call(FIRST_PROVIDER + index, providerRegistry, providerRegistryAbi, 'activateMachine', [machineId]);
  }

  /** A provider closes a lease, which sends the order back to matching while it is not ready, and takes its machine out; it waits for a block. */
  giveUpLease(index: number, orderId: number): Promise<Hex> {
    return this.call(FIRST_PROVIDER + index, this.deployment.contracts.computeLease, computeLeaseAbi, 'closeLease', [
      orderId,
    ]);
  }

  /** The tenant takes a machine at its first offer for an order that waited; it waits for a block. */
  selfMatch(orderId: number, machineId: number, spec: Partial<OrderSpec> = {}): Promise<Hex> {
    const policy = policyStructOf(TEST_POLICY);
    return this.call(TENANT, this.deployment.contracts.matchSettlement, matchSettlementAbi, 'selfMatch', [
      orderId,
      machineId,
      0,
      { ...TEST_ORDER, ...spec },
      policy,
    ]);
  }

  /** Changes the price of a provider's machine; it waits for a block. */
  setOffer(index: number, machineId: number, gpuMicroPerHour: number): Promise<Hex> {
    const terms = {
      tokenId: 1,
      gpuMicroPerHour,
      coreMicroPerHour: 10_000,
      memoryGibMicroPerHour: 1_000,
      storageTibMicroPerHour: 1_000,
    };
    return this.call(
      FIRST_PROVIDER + index,
      this.deployment.contracts.providerRegistry,
      providerRegistryAbi,
      'setOffer',
      [machineId, 0, terms],
    );
  }

  /** Schedules a new policy and round length from a round on; it waits for a block. */
  schedulePolicy(fromRound: number, lengthBlocks: number, policy: Policy): Promise<Hex> {
    return this.call(DEPLOYER, this.deployment.contracts.matchPolicy, matchPolicyAbi, 'schedule', [
      fromRound,
      lengthBlocks,
      policyStructOf(policy),
      policy.packing ?? NO_PACKING,
    ]);
  }

  /** Certifies a batch with every operator and sends it; it waits for a block. */
  async settle(batch: MatchBatch, records: Hex, messageHash: Hex, underPolicy = TEST_POLICY): Promise<Hex> {
    const { quorum, contracts } = this.deployment;
    const digest = quorumDigest(quorum, { referenceTimestamp: batch.tableTimestamp, messageHash });
    const votes = await Promise.all(
      this.operators.map(async ({ account }) => ({
        signer: account.address,
        signature: await account.sign({ hash: digest }),
      })),
    );
    const onChain = { ...batch, round: BigInt(batch.round), snapshotBlock: BigInt(batch.snapshotBlock) };
    const policy = policyStructOf(underPolicy);
    return this.call(0, contracts.matchSettlement, matchSettlementAbi, 'settle', [
      onChain,
      policy,
      records,
      encodeCertificate(quorum, this.#entries, votes),
    ]);
  }

  async #machineCount(): Promise<number> {
    const data = encodeFunctionData({ abi: providerRegistryAbi, functionName: 'counts' });
    const answer = await this.rpc.request(callAt({ to: this.deployment.contracts.providerRegistry, data }, 'latest'));
    return decodeFunctionResult({ abi: providerRegistryAbi, functionName: 'counts', data: answer })[0];
  }
}

/** A control call of anvil; its answer does not matter. */
export function control(method: string, params: readonly unknown[]): RpcCall<unknown> {
  return { method, params, decode: (raw) => raw };
}
