import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  createPublicClient,
  createTestClient,
  decodeEventLog,
  encodeFunctionData,
  http,
  keccak256,
  parseUnits,
  type Abi,
  type Hex,
} from 'viem';
import { foundry } from 'viem/chains';

import { devnetTokenAbi } from '../../chain/contracts/generated/DevnetToken.js';
import { escrowAbi } from '../../chain/contracts/generated/Escrow.js';
import { iRewardsCoordinatorAbi } from '../../chain/contracts/generated/IRewardsCoordinator.js';
import { matchSettlementAbi } from '../../chain/contracts/generated/MatchSettlement.js';
import { orderRequestAbi } from '../../chain/contracts/generated/OrderRequest.js';
import { carryTables } from '../../devnet/carryTables.js';
import { deployDevnet, publishOperatorTable, registerOperators } from '../../devnet/deployDevnet.js';
import type { DevnetMarket, DevnetOperator } from '../../devnet/deployDevnet.js';
import { DEVNET_MAX_FEE, DEVNET_PRIORITY_FEE, startDevnetChain, type DevnetChain } from '../../devnet/devnetChain.js';
import type { DevAccount } from '../../devnet/devAccounts.js';
import { freePort } from '../../service/freePort.js';
import { fundAccount } from '../../devnet/fundAccount.js';
import type { MarketPlan } from '../../devnet/marketPlan.js';
import { operatorStakes } from '../../devnet/operatorStakes.js';
import { populateMarket, type PopulatedMarket } from '../../devnet/populateMarket.js';
import {
  startAggregator,
  startOperator,
  untilReady,
  writeDeployment,
  writeKeyFiles,
  type ServiceProcess,
} from '../../devnet/runProcesses.js';
import { settlementSigners } from '../../devnet/settlementSigners.js';
import { signingKeyOf } from '../../devnet/signingKeyOf.js';
import type { OrderSpec } from '../../protocol/orderSpec.js';
import type { Curve } from '../../protocol/operatorTable.js';
import { decodeRecords } from '../../protocol/records.js';
import { OrderState } from '../../protocol/words/orderWord.js';
import { ensureRedis, type EnsuredRedis } from '../../service/ensureRedis.js';
import { createLogger } from '../../service/logger.js';
import { BlockMaker } from './blockMaker.js';
import { RpcProxy } from './rpcProxy.js';
import { SignatureSink } from './signatureSink.js';

const CLI_FILE = fileURLToPath(new URL('../../dist/matchmaker.js', import.meta.url));
/** uSPON, the devnet's first payment token, 6 decimals. */
const TOKEN_ID = 1;
const STATE_SHIFT = 53n;

/** A settlement log, decoded. */
export interface Settlement {
  readonly round: number;
  readonly blockNumber: number;
  readonly transactionHash: Hex;
  readonly orderIds: readonly number[];
  readonly skipped: bigint;
}

/** A raw transaction of the tenant, kept so that it can be sent again after a reorganisation. */
export interface SentOrder {
  readonly hash: Hex;
  readonly raw: Hex;
}

const BLOCK_TIME_MS = 250;
/** At most, while the market is deployed: one transaction after another, and no part of any scenario. */
const DEPLOY_BLOCK_TIME_MS = 40;

export interface LocalNetworkOptions {
  /** 'in-turn': the node makes a block whenever the scenario's `blockMaker` asks, so that blocks can be taken back in between. */
  readonly mining?: number | 'instant' | 'in-turn';
  readonly roundLengthBlocks?: number;
  readonly bidWindowBlocks?: number;
  readonly curve?: Curve;
  /** For which an operator table counts after it was calculated. */
  readonly maxTableAgeSeconds?: number;
}

const ORDER: OrderSpec = {
  milliGpu: 500,
  cpuMilli: 1_000,
  memoryMib: 2_048,
  storageGib: 10,
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
  tokenId: TOKEN_ID,
  maxPriceMicroPerHour: 9_000_000,
  durationMinutes: 60,
};

/** Three providers, six machines of eight GPUs: room for every order a scenario sends. */
function smallMarket(): MarketPlan {
  return {
    providers: [0, 1, 2].map((index) => ({
      name: `provider-${index}`,
      hostUri: `https://provider-${index}.example:8443`,
      tier: 1 + index,
      attributes: 3n,
      scores: null,
      extraStakeWhole: 1_000 * (index + 1),
      reports: [],
    })),
    machines: [0, 1, 2, 3, 4, 5].map((index) => ({
      provider: index % 3,
      spec: { model: 1, region: 33, cpuMilli: 128_000, memoryMib: 524_288, storageGib: 8_000, deviceCount: 8 },
      offers: [
        {
          tokenId: TOKEN_ID,
          gpuMicroPerHour: 1_000_000 + 10_000 * index,
          coreMicroPerHour: 10_000,
          memoryGibMicroPerHour: 1_000,
          storageTibMicroPerHour: 1_000,
        },
      ],
    })),
    orders: [],
    tenantCount: 1,
    modelNames: new Map([[1, 'a100']]),
  };
}

/** A whole market with operators and an aggregator as real processes on a real chain, for one scenario to break. */
export class LocalNetwork {
  readonly operators: ServiceProcess[] = [];
  aggregator!: ServiceProcess;
  /** Sees every signature that leaves an operator. */
  sink!: SignatureSink;
  readonly operatorRpc: RpcProxy[] = [];
  aggregatorRpc!: RpcProxy;
  operatorKeys: readonly DevnetOperator[] = [];
  market!: DevnetMarket;
  populated!: PopulatedMarket;
  redis!: EnsuredRedis;
  readonly #blockMaker: BlockMaker | undefined;
  readonly publicClient;
  readonly testClient;
  readonly #chain: DevnetChain;
  readonly #runDir: string;
  readonly #curve: Curve;
  readonly #closers: (() => Promise<void>)[] = [];
  #deploymentFile = '';
  #aggregatorKey!: DevAccount;
  #tenant!: DevAccount;
  #sending: Promise<unknown> = Promise.resolve();

  private constructor(chain: DevnetChain, runDir: string, { curve, mining }: LocalNetworkOptions) {
    this.#chain = chain;
    this.#curve = curve ?? 'ecdsa';
    this.#runDir = runDir;
    const transport = http(chain.url, { retryCount: 0 });
    this.publicClient = createPublicClient({ chain: foundry, transport, cacheTime: 0, pollingInterval: 50 });
    this.testClient = createTestClient({ chain: foundry, transport, mode: 'anvil' });
    this.#blockMaker = mining === 'in-turn' ? new BlockMaker(BLOCK_TIME_MS, this.testClient) : undefined;
  }

  /** Deploys and populates a market; no operator or aggregator runs yet. */
  static async start(options: LocalNetworkOptions = {}): Promise<LocalNetwork> {
    if (!existsSync(CLI_FILE)) throw new Error(`${CLI_FILE} is missing: run npm run build first`);
    const runDir = mkdtempSync(path.join(tmpdir(), 'matchmaker-e2e-'));
    const { mining = BLOCK_TIME_MS / 1000 } = options;
    const chain = await startDevnetChain({
      mining: mining === 'in-turn' ? 'on-demand' : mining,
      accounts: 60,
      logFile: path.join(runDir, 'anvil.log'),
    });
    const network = new LocalNetwork(chain, runDir, options);
    const moreBlocks = mining === 'instant' ? undefined : new BlockMaker(DEPLOY_BLOCK_TIME_MS, network.testClient);
    try {
      await network.#deploy(options);
    } catch (error) {
      await moreBlocks?.stop();
      await network.stop();
      throw error;
    }
    await moreBlocks?.stop();
    return network;
  }

  async #deploy(options: LocalNetworkOptions): Promise<void> {
    const chain = this.#chain;
    this.market = await deployDevnet(chain, {
      roundLengthBlocks: options.roundLengthBlocks ?? 4,
      bidWindowBlocks: options.bidWindowBlocks ?? 1,
      curve: this.#curve,
      ...(options.maxTableAgeSeconds === undefined
        ? {}
        : { policy: { maxTableAgeSeconds: options.maxTableAgeSeconds } }),
    });
    const stakes = operatorStakes(4);
    const signingKeys = stakes.map(() => signingKeyOf(this.#curve, chain.nextAccount().privateKey));
    this.operatorKeys = await registerOperators(chain, this.market, stakes, signingKeys);
    await publishOperatorTable(chain, this.market);
    this.populated = await populateMarket(smallMarket(), chain, this.market);
    this.#deploymentFile = writeDeployment(this.#runDir, this.market.deployment);
    this.#aggregatorKey = chain.nextAccount();
    this.#tenant = chain.nextAccount();
    const lane = chain.lane(this.#tenant.privateKey);
    const token = this.market.paymentTokens[TOKEN_ID - 1] as Hex;
    const { escrow } = this.market.deployment.contracts;
    const amount = parseUnits('1000000', 6);
    for (const [to, abi, functionName, args] of [
      [token, devnetTokenAbi as Abi, 'mint', [lane.address, amount]],
      [token, devnetTokenAbi as Abi, 'approve', [escrow, amount]],
      [escrow, escrowAbi as Abi, 'deposit', [TOKEN_ID, amount]],
    ] as const) {
      await lane.run({ to, data: encodeFunctionData({ abi, functionName, args }), label: functionName });
    }
    this.sink = await SignatureSink.start({
      chainId: chain.chainId,
      settlement: this.market.deployment.contracts.matchSettlement,
      verifier: this.market.deployment.quorum.certificateVerifier,
    });
    this.aggregatorRpc = await RpcProxy.start(chain.url);
    for (const _ of this.operatorKeys) this.operatorRpc.push(await RpcProxy.start(chain.url));
    this.redis = await ensureRedis(
      // Not the one that REDIS_URL may name: scenarios wipe theirs, and another may run beside this one.
      { profile: 'devnet', env: { ...process.env, REDIS_URL: '' } },
      { logger: createLogger({ service: 'e2e', level: 'silent' }) },
    );
  }

  /** URL of the chain itself, without the proxies of the services. */
  get rpcUrl(): string {
    return this.#chain.url;
  }

  /** Deployment file that the services were started with. */
  get deploymentFile(): string {
    return this.#deploymentFile;
  }

  /**
   * Writes the deployment, keystores of fresh accounts, and those of the AVS and the rewards updater, as `bin/demo --keep` leaves them: all but
   * the last have gas and a million of each token. Gives the fresh keys.
   */
  async writeMarketFolder(folder: string, names: readonly string[]): Promise<Hex[]> {
    const keys: Hex[] = [];
    const { deployment, rpcUrl } = this;
    mkdirSync(path.join(folder, 'aggregator'), { recursive: true });
    writeDeployment(folder, deployment);
    cpSync(this.aggregator.configFile, path.join(folder, 'aggregator', 'config.json'));
    for (const name of names) {
      const { privateKey, account } = this.#chain.nextAccount();
      await fundAccount({ deployment, rpcUrl, account: account.address });
      writeKeyFiles(folder, name, privateKey);
      keys.push(privateKey);
    }
    const { avs } = deployment.operatorSet;
    await fundAccount({ deployment, rpcUrl, account: avs });
    const rewardsUpdater = await this.publicClient.readContract({
      address: deployment.eigenlayer.rewardsCoordinator,
      abi: iRewardsCoordinatorAbi,
      functionName: 'rewardsUpdater',
    });
    writeKeyFiles(folder, 'avs', this.#chain.keyOf(avs));
    writeKeyFiles(folder, 'rewards-updater', this.#chain.keyOf(rewardsUpdater));
    return keys;
  }

  /** Carries the operator table to the quorum verifier as it is now, and has it recorded. */
  publishTable(): Promise<void> {
    return publishOperatorTable(this.#chain, this.market);
  }

  /** Carries the operator table whenever it changes, until the scenario stops. */
  carryTables(): void {
    this.#closers.push(
      carryTables(this.#chain, this.market, {
        onProblem: (problem) => process.stderr.write(`the operator table could not be carried: ${problem}\n`),
      }),
    );
  }

  get deployment() {
    return this.market.deployment;
  }

  /** Who makes the blocks of a network with mining 'in-turn'. Throws RangeError for any other. */
  get blockMaker(): BlockMaker {
    if (this.#blockMaker === undefined) throw new RangeError("start the network with mining: 'in-turn'");
    return this.#blockMaker;
  }

  /** Wallets of the providers, for scenarios in which they act. */
  get providerLanes() {
    return this.populated.providerLanes;
  }

  /** Starts the aggregator and the given operators (default all) and waits until they are ready. */
  async run(operators: readonly number[] = this.operatorKeys.map((_, index) => index)): Promise<void> {
    await this.startAggregator();
    for (const index of operators) await this.startOperator(index);
    await untilReady([this.aggregator, ...operators.map((index) => this.operators[index] as ServiceProcess)]);
  }

  /** Starts the aggregator, or starts it again with the same data. */
  async startAggregator(): Promise<void> {
    const port = this.aggregator === undefined ? await freePort() : Number(new URL(this.aggregator.url).port);
    this.aggregator = await startAggregator({
      cliFile: CLI_FILE,
      runDir: this.#runDir,
      rpcUrl: this.aggregatorRpc.url,
      deploymentFile: this.#deploymentFile,
      name: 'aggregator',
      port,
      privateKey: this.#aggregatorKey.privateKey,
      redisUrl: this.redis.url,
    });
  }

  /** Starts operator `index`, or starts it again with the same data; `env` is on top of this process's variables. */
  async startOperator(index: number, env: NodeJS.ProcessEnv = {}): Promise<void> {
    const known = this.operators[index];
    const port = known === undefined ? await freePort() : Number(new URL(known.url).port);
    const operator = this.operatorKeys[index] as DevnetOperator;
    this.operators[index] = await startOperator({
      cliFile: CLI_FILE,
      runDir: this.#runDir,
      rpcUrl: (this.operatorRpc[index] as RpcProxy).url,
      deploymentFile: this.#deploymentFile,
      name: operator.name,
      port,
      curve: this.#curve,
      privateKey: operator.signingKey,
      aggregators: [this.aggregator.url, this.sink.url],
      env,
    });
  }

  /** Transactions that the aggregator's key has brought into the chain. */
  aggregatorTransactions(): Promise<number> {
    return this.publicClient.getTransactionCount({ address: this.#aggregatorKey.account.address });
  }

  /** Kills a process without giving it a chance to clean up. */
  async kill(service: ServiceProcess): Promise<void> {
    service.process.kill('SIGKILL');
    await service.process.exited;
  }

  async ready(...services: ServiceProcess[]): Promise<void> {
    await untilReady(services);
  }

  /** Sends an order and waits until it is mined. Returns its id with the raw transaction. */
  async order(changes: Partial<OrderSpec> = {}): Promise<SentOrder & { orderId: number; blockNumber: number }> {
    const sent = await this.sendOrder(changes);
    return { ...sent, ...(await this.orderOf(sent.hash)) };
  }

  /** Hands an order to the node without waiting for it; calls take turns, so that each gets the next nonce. */
  sendOrder(changes: Partial<OrderSpec> = {}): Promise<SentOrder> {
    const sent = this.#sending.then(() => this.#sendOrder(changes));
    this.#sending = sent.catch(() => undefined);
    return sent;
  }

  async #sendOrder(changes: Partial<OrderSpec>): Promise<SentOrder> {
    const { account } = this.#tenant;
    const [nonce, head] = await Promise.all([
      this.publicClient.getTransactionCount({ address: account.address, blockTag: 'pending' }),
      this.publicClient.getBlock(),
    ]);
    const raw = await account.signTransaction({
      type: 'eip1559',
      chainId: this.#chain.chainId,
      nonce,
      gas: 400_000n,
      maxFeePerGas: DEVNET_MAX_FEE,
      maxPriorityFeePerGas: DEVNET_PRIORITY_FEE,
      to: this.deployment.contracts.orderRequest,
      data: encodeFunctionData({
        abi: orderRequestAbi,
        functionName: 'createOrder',
        args: [{ ...ORDER, ...changes }, Number(head.timestamp) + 86_400],
      }),
    });
    await this.sendRaw(raw);
    return { hash: keccak256(raw), raw };
  }

  async sendRaw(raw: Hex): Promise<void> {
    await this.publicClient.sendRawTransaction({ serializedTransaction: raw });
  }

  /** The order that a mined transaction created. */
  async orderOf(hash: Hex): Promise<{ orderId: number; blockNumber: number }> {
    const receipt = await this.publicClient.waitForTransactionReceipt({ hash, pollingInterval: 50 });
    for (const log of receipt.logs) {
      if (log.address.toLowerCase() !== this.deployment.contracts.orderRequest.toLowerCase()) continue;
      const event = decodeEventLog({ abi: orderRequestAbi, data: log.data, topics: log.topics });
      if (event.eventName === 'OrderCreated') {
        return { orderId: event.args.orderId, blockNumber: Number(receipt.blockNumber) };
      }
    }
    throw new Error(`transaction ${hash} created no order (${receipt.status})`);
  }

  async orderState(orderId: number): Promise<number> {
    const word = await this.publicClient.readContract({
      address: this.deployment.contracts.orderRequest,
      abi: orderRequestAbi,
      functionName: 'orderWord',
      args: [orderId],
    });
    return Number((BigInt(word) >> STATE_SHIFT) & 7n);
  }

  /** Waits until the order is a lease on the chain. */
  async leased(orderId: number): Promise<void> {
    await this.until(
      `order ${orderId} to be leased`,
      async () => (await this.orderState(orderId)) === OrderState.MATCHED,
    );
  }

  /** Every settlement of the canonical chain. */
  async settlements(): Promise<Settlement[]> {
    const logs = await this.publicClient.getContractEvents({
      address: this.deployment.contracts.matchSettlement,
      abi: matchSettlementAbi,
      eventName: 'BatchSettled',
      fromBlock: 0n,
      strict: true,
    });
    return logs.map(({ args, blockNumber, transactionHash }) => ({
      round: Number(args.round),
      blockNumber: Number(blockNumber),
      transactionHash,
      orderIds: decodeRecords(args.records).map(({ orderId }) => orderId),
      skipped: args.skipped.reduce((sum, word) => sum | word, 0n),
    }));
  }

  async lastSettledRound(): Promise<number> {
    return this.publicClient.readContract({
      address: this.deployment.contracts.matchSettlement,
      abi: matchSettlementAbi,
      functionName: 'lastSettledRound',
    });
  }

  /** Keys whose signatures a settlement carried, from its calldata. */
  async signersOf(settlement: Settlement): Promise<string[]> {
    return settlementSigners(this.deployment, this.#chain.rpc, settlement.transactionHash);
  }

  async blockNumber(): Promise<number> {
    return Number(await this.publicClient.getBlockNumber({ cacheTime: 0 }));
  }

  /** Waits for so many more blocks. */
  async blocks(count: number): Promise<void> {
    const target = (await this.blockNumber()) + count;
    await this.until(`block ${target}`, async () => (await this.blockNumber()) >= target);
  }

  /** Polls the chain or a process until `holds`; fails with what was awaited, and the ends of all logs. */
  async until(what: string, holds: () => Promise<boolean> | boolean, timeoutMs = 45_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!(await holds())) {
      if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}\n${this.logs()}`);
      await sleep(40);
    }
  }

  /** Value of one of a process's own metrics; 0 while it has none with these labels. */
  async metric(service: ServiceProcess, name: string, labels: Record<string, string> = {}): Promise<number> {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    return text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter((line) => Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  /** The last lines of every process's log. */
  logs(): string {
    return [this.aggregator, ...this.operators]
      .filter((service) => service !== undefined)
      .map(
        ({ name, logFile }) =>
          `--- ${name}\n${readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-12).join('\n')}`,
      )
      .join('\n');
  }

  /** Entries of the aggregator's evidence log. */
  evidence(): { kind: string; signer: string; round: number }[] {
    const file = path.join(this.#runDir, 'aggregator', 'data', 'evidence.jsonl');
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { kind: string; signer: string; round: number });
  }

  /** Ends every process, server and file of the scenario. */
  async stop(): Promise<void> {
    await this.#blockMaker?.stop();
    for (const close of this.#closers) await close();
    const services = [this.aggregator, ...this.operators].filter((service) => service !== undefined);
    await Promise.all(services.map(({ process }) => process.stop()));
    await this.redis?.stop();
    await this.sink?.stop();
    await this.aggregatorRpc?.stop();
    await Promise.all(this.operatorRpc.map((proxy) => proxy.stop()));
    await this.#chain.stop();
    rmSync(this.#runDir, { recursive: true, force: true });
  }
}
