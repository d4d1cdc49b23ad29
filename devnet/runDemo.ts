import { existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { zeroAddress, type Address, type Hex } from 'viem';
import type { TransactionLane } from '../chain/deploy/transactionLane.js';
import { privateKeyToAccount } from 'viem/accounts';
import { storageAt } from '../chain/rpc/rpcCall.js';
import { MatchmakerError } from '../engine/error.js';
import { openRoundAt, snapshotBlockOf, type Schedule } from '../protocol/rounds.js';
import { decodeScheduleWord } from '../protocol/words/scheduleWord.js';
import { SCHEDULE_SLOT } from '../protocol/words/slots.js';
import { ensureRedis } from '../service/ensureRedis.js';
import { createLogger } from '../service/logger.js';
import { auditRun, type AuditReport } from './auditRun.js';
import {
  deployDevnet,
  operatorName,
  publishOperatorTable,
  registerOperators,
  type DevnetMarket,
  type DevnetOperator,
} from './deployDevnet.js';
import {
  demoResult,
  passed,
  reportLines,
  type DemoResult,
  type RunFindings,
  type RunMeasurements,
} from './demoReport.js';
import { monotonicMs, startDevnetChain, type DevnetChain } from './devnetChain.js';
import { fundTenants } from './fundTenants.js';
import { generateMarket } from './generateMarket.js';
import { importTrace } from './importTrace.js';
import { LiveTable } from './liveTable.js';
import type { MarketPlan } from './marketPlan.js';
import { OperatorProcesses } from './operatorProcesses.js';
import { operatorStakes } from './operatorStakes.js';
import { loadDefaultPolicy } from './parameters.js';
import { percentile } from './percentile.js';
import { populateMarket, type PopulatedMarket } from './populateMarket.js';
import {
  logTail,
  startAggregator,
  untilReady,
  writeDeployment,
  writeKeyFiles,
  ServiceFailedError,
  type ServiceProcess,
} from './runProcesses.js';
import { readTokenHoldings } from './readTokenHoldings.js';
import { sendOrders, type PlacedOrder } from './sendOrders.js';
import { serveNewcomers } from './serveNewcomers.js';
import { settlementSigners } from './settlementSigners.js';
import { SettlementWatch, type SeenSettlement } from './settlementWatch.js';
import { freePort } from './startAnvil.js';
import { fundAccount } from './fundAccount.js';
import { runStory, STORY_ACCOUNTS } from './story/runStory.js';
import { ordersToExplain, provenScenes } from './story/sceneProofs.js';
import type { SceneReport } from './story/storyContext.js';
import type { TiedProcess } from './tiedProcess.js';
import { tokenAccount } from './tokenAccounts.js';
import { wrapList } from './wrapList.js';

export interface DemoOptions {
  readonly operators: number;
  readonly providers: number;
  /** Orders to send; with a trace the first so many tasks. Default 160 generated ones, or all tasks. */
  readonly orders: number | undefined;
  readonly seed: number;
  /** Play the scenes of the economy after the trade. */
  readonly story: boolean;
  /** Port of the chain; a free one when undefined. */
  readonly rpcPort: number | undefined;
  /** Leave everything running after the report, until `interrupted`. */
  readonly keep: boolean;
  /** Trace files: both or neither. */
  readonly trace: { readonly nodesFile: string; readonly podsFile: string } | undefined;
  readonly blockTimeMs: number;
  readonly roundLengthBlocks: number | undefined;
  /** Folder for keys, configs, data and logs; removed at the end unless the run failed. */
  readonly runDir: string;
  /** The command line's entry file, which the services are started from. */
  readonly cliFile: string;
}

export interface DemoDependencies {
  /** Shows text to people. */
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  /** Columns of the terminal at the moment, undefined when it does not say. */
  readonly columns?: () => number | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Aborted when the run is to end early. */
  readonly interrupted: AbortSignal;
  /** Told the result as soon as it is known; a kept run goes on after that. */
  readonly onResult: (result: DemoResult) => void;
}

export interface DemoOutcome {
  readonly result: DemoResult;
  readonly passed: boolean;
}

/** The run was interrupted. */
export class DemoInterruptedError extends MatchmakerError<'DEMO_INTERRUPTED'> {
  constructor() {
    super('DEMO_INTERRUPTED', 'interrupted');
  }
}

/** Orders were still not matched although machines were left for them when the last allowed round closed. */
export class DemoUnfinishedError extends MatchmakerError<'DEMO_UNFINISHED'> {
  constructor(round: number, waiting: number) {
    super(
      'DEMO_UNFINISHED',
      `round ${round} closed and ${waiting} orders that it has machines for are still not settled`,
      {
        metadata: { round, waiting },
      },
    );
  }
}

const DEFAULT_ORDERS = 160;
/** Blocks that orders are spread over at least: several rounds at any length. */
const SPREAD_BLOCKS = 48;
/** Rounds that may close without a new lease, after the last order was in one, before the run is taken to be at its end. */
const QUIET_ROUNDS = 2;
/** Rounds that the run waits for at most after the last order came in. */
const PATIENCE_ROUNDS = 60;
const ACCOUNTS_BESIDES = 32;
/** Rounds after which a tenant may match its order itself: seconds, so that a run can wait for it. */
const SELF_MATCH_ROUNDS = 4;
/** Characters of `[  12.3 s] `, which every line of progress begins with, and what is left of a hundred. */
const PREFIX = 11;
const WIDTH = 100 - PREFIX;

/**
 * A whole market on this machine: chain, EigenLayer, operators and aggregator as processes of their own, providers, orders as transactions,
 * and at the end an audit of everything from a fresh replay of the chain. Whatever it starts ends with it.
 * Throws the typed errors of its parts; on failure the run folder stays and the ends of the services' logs are shown.
 */
export async function runDemo(options: DemoOptions, dependencies: DemoDependencies): Promise<DemoOutcome> {
  const demo = new Demo(options, dependencies);
  let isFailed = true;
  try {
    const outcome = await Promise.race([demo.run(), rejectedWhen(dependencies.interrupted)]);
    isFailed = !outcome.passed;
    return outcome;
  } catch (error) {
    if (!(error instanceof DemoInterruptedError)) throw error;
    // Ctrl-C after the report is how a kept run ends.
    isFailed = demo.outcome?.passed === false;
    if (demo.outcome === undefined) throw error;
    return demo.outcome;
  } finally {
    await demo.stop(isFailed);
  }
}

/** The market of a run with everybody who acts on it. */
interface RunningMarket {
  readonly plan: MarketPlan;
  readonly chain: DevnetChain;
  readonly market: DevnetMarket;
  readonly schedule: Schedule;
  readonly operators: readonly DevnetOperator[];
  readonly populated: PopulatedMarket;
  readonly tenantLanes: readonly TransactionLane[];
}

/** What the trade left. */
interface TradeOutcome extends Pick<RunMeasurements, 'settlements' | 'orderToLeaseMs'> {
  readonly audit: AuditReport;
  readonly placed: readonly PlacedOrder[];
}

function rejectedWhen(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(new DemoInterruptedError());
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}

class Demo {
  outcome: DemoOutcome | undefined;
  readonly #options: DemoOptions;
  readonly #dependencies: DemoDependencies;
  /** Everything that was started, also what was stopped again on purpose. */
  readonly #services: ServiceProcess[] = [];
  #operators: OperatorProcesses | undefined;
  #settler: Address | undefined;
  /** What must be ended, the last started first. */
  readonly #closers: (() => Promise<void>)[] = [];
  readonly #startedAtMs = monotonicMs();
  readonly #table: LiveTable;
  #stopping = false;

  constructor(options: DemoOptions, dependencies: DemoDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#table = new LiveTable(dependencies);
  }

  async run(): Promise<DemoOutcome> {
    const { seed, providers, orders, trace, operators, blockTimeMs, roundLengthBlocks, rpcPort, runDir } =
      this.#options;
    const stakes = operatorStakes(operators);
    const plan =
      trace === undefined
        ? generateMarket({ providers, orders: orders ?? DEFAULT_ORDERS, seed })
        : importTrace({ ...trace, orders, providers, seed });
    mkdirSync(runDir, { recursive: true });

    this.#say(`starting a chain with a block every ${blockTimeMs} ms`);
    const chain = await startDevnetChain({
      mining: blockTimeMs / 1_000,
      ...(rpcPort === undefined ? {} : { port: rpcPort }),
      accounts: ACCOUNTS_BESIDES + STORY_ACCOUNTS + plan.providers.length + plan.tenantCount + 3 * operators,
    });
    this.#closers.push(() => chain.stop());
    this.#sayWhenEnded('the chain', chain.anvil.process);

    this.#say('deploying EigenLayer, the operator set and the market');
    const market = await deployDevnet(chain, {
      blockTimeMs,
      policy: { selfMatchRounds: SELF_MATCH_ROUNDS },
      ...(roundLengthBlocks === undefined ? {} : { roundLengthBlocks }),
    });
    this.#say(
      `registering ${operators} operators, ${plan.providers.length} providers with ${plan.machines.length} machines, ${plan.tenantCount} tenants`,
    );
    const signingKeys = stakes.map(() => chain.nextAccount().privateKey);
    this.#say(wrapList('machines by GPU: ', hardwareOf(plan), WIDTH).join(`\n${' '.repeat(PREFIX)}`));
    const [operatorsRegistered, populated, tenantLanes] = await Promise.all([
      registerOperators(chain, market, stakes, signingKeys),
      populateMarket(plan, chain, market),
      fundTenants(plan, chain, market),
      this.#startServices(chain, market, signingKeys, stakes),
    ]);
    await publishOperatorTable(chain, market);
    await untilReady(this.#services);
    this.#say('the operators and the aggregator are ready');

    const schedule = decodeScheduleWord(
      await chain.rpc.request(storageAt(market.deployment.contracts.matchPolicy, SCHEDULE_SLOT, 'latest')),
    );
    const running = { plan, chain, market, schedule, operators: operatorsRegistered, populated, tenantLanes };
    const trade = await this.#trade(running);
    const scenes = this.#options.story ? await this.#story(running, trade) : [];
    const outcome = await this.#report(running, trade, scenes);
    if (this.#options.keep) await this.#keepRunning(chain, market);
    return outcome;
  }

  /** Ends everything that was started; shows where to look when the run failed. */
  async stop(isFailed: boolean): Promise<void> {
    // A process that ended is heard of a moment after its connections broke; which one it was is worth the wait.
    if (isFailed && !this.#dependencies.interrupted.aborted) await sleep(100);
    this.#stopping = true;
    this.#table.freeze();
    if (isFailed && existsSync(this.#options.runDir)) {
      const ended = this.#services.filter(({ process }) => !process.isRunning() && !this.#isPaused(process));
      for (const { name, logFile } of ended.length > 0 ? ended : this.#services) {
        const tail = logTail(logFile, 8, ended.length > 0 ? '' : '"level":"error"');
        if (tail.length > 0)
          this.#say(`the end of ${logFile} (${name}):\n${tail.map((line) => `    ${line}`).join('\n')}`);
      }
      this.#say(`keys, configs and logs of the run are in ${this.#options.runDir}`);
    }
    await Promise.all(this.#services.map(({ process }) => process.stop()));
    for (const close of this.#closers.toReversed()) await close();
    if (!isFailed) rmSync(this.#options.runDir, { recursive: true, force: true });
  }

  async #startServices(
    chain: DevnetChain,
    market: DevnetMarket,
    signingKeys: readonly Hex[],
    stakes: readonly number[],
  ): Promise<void> {
    const { runDir, cliFile } = this.#options;
    const redis = await ensureRedis(
      { profile: 'devnet', env: this.#dependencies.env },
      { logger: createLogger({ service: 'devnet', level: 'error' }) },
    );
    this.#closers.push(() => redis.stop());
    const common = { cliFile, runDir, rpcUrl: chain.url, deploymentFile: writeDeployment(runDir, market.deployment) };
    const aggregatorPort = await freePort();
    const aggregatorUrl = `http://127.0.0.1:${aggregatorPort}`;
    const { privateKey } = chain.nextAccount();
    this.#settler = privateKeyToAccount(privateKey).address;
    this.#watch(
      await startAggregator({ ...common, name: 'aggregator', port: aggregatorPort, privateKey, redisUrl: redis.url }),
    );
    const seats = [];
    for (const [index, signingKey] of signingKeys.entries()) {
      const stakeWhole = stakes[index] ?? 0;
      seats.push({ name: operatorName(index), port: await freePort(), privateKey: signingKey, stakeWhole });
    }
    this.#operators = new OperatorProcesses(
      { common: { ...common, aggregators: [aggregatorUrl] }, seats, quorumBps: loadDefaultPolicy().quorumBps },
      { onStart: (service) => this.#watch(service) },
    );
    await this.#operators.launch();
    this.#say(`started Redis (${redis.source}), the aggregator and ${signingKeys.length} operators`);
  }

  /** Stopped by the story, which will start it again. */
  #isPaused(process: TiedProcess): boolean {
    const isOperator = this.#services.some((service) => service.process === process && service.name !== 'aggregator');
    return isOperator && this.#operators?.running().every((service) => service.process !== process) === true;
  }

  #watch(service: ServiceProcess): void {
    this.#services.push(service);
    // Started while everything else was being ended already.
    if (this.#stopping) void service.process.stop();
    this.#sayWhenEnded(service.name, service.process);
  }

  #sayWhenEnded(name: string, process: TiedProcess): void {
    void process.exited.then(({ code, signal }) => {
      if (!this.#stopping && !this.#isPaused(process))
        this.#say(`${name} ended by itself with ${signal ?? `code ${code}`}`);
    });
  }

  /** Sends the orders, waits until every one has had its chance, and audits the trade. */
  async #trade(running: RunningMarket): Promise<TradeOutcome> {
    const { plan, chain, market, schedule, operators, populated, tenantLanes } = running;
    const view = new TradeView(chain, market, operators, schedule, plan.orders.length, this.#table);
    this.#say(`sending ${plan.orders.length} orders`);
    const placed = await sendOrders(
      plan,
      populated.providerIds,
      { chain, market, tenantLanes },
      { spreadBlocks: SPREAD_BLOCKS, onPlaced: (order) => view.placed(order) },
    );
    const audit = await this.#audit(chain, market, schedule, placed, view);
    await view.finished();
    this.#table.freeze();
    return { audit, placed, settlements: view.settlements(), orderToLeaseMs: view.orderToLeaseMs() };
  }

  /** Plays the economy's scenes on the market that the trade left. */
  async #story(running: RunningMarket, trade: TradeOutcome): Promise<readonly SceneReport[]> {
    const { chain, market, schedule, operators, populated, tenantLanes } = running;
    const [operatorSwitch, settler] = [this.#operators, this.#settler];
    if (operatorSwitch === undefined || settler === undefined) throw new Error('the services were not started');
    this.#say('playing the economy: leases, bids, compliance, slashing, self-match, rewards');
    const { providerIds, providerLanes } = populated;
    const orderIds = trade.placed.map(({ orderId }) => orderId);
    return runStory(
      { chain, market, schedule, operators, operatorSwitch, settler, requireServices: () => this.#requireServices() },
      { orderIds, tenantLanes, providerIds, providerLanes },
      { onScene: ({ scene }) => this.#say(`scene over: ${scene}`) },
    );
  }

  /** Replays the whole run, follows every token, and shows the report. */
  async #report(
    { chain, market, operators, plan }: RunningMarket,
    trade: TradeOutcome,
    reports: readonly SceneReport[],
  ): Promise<DemoOutcome> {
    const { number, hash } = chain.blocks.head();
    let wholeAudit = trade.audit;
    if (reports.length > 0) {
      this.#say('replaying the whole run');
      wholeAudit = await auditRun(market.deployment, chain.rpc, number, ordersToExplain(reports));
    }
    this.#say('following every token');
    const known = { operators: operators.map(({ signer }) => signer), settler: this.#settler ?? zeroAddress };
    const holdings = await readTokenHoldings(market, chain.rpc, { number, hash }, known);
    const { scenes, mismatches: sceneMismatches } = provenScenes(reports, wholeAudit);
    const findings: RunFindings = {
      audit: trade.audit,
      wholeAudit,
      scenes,
      sceneMismatches,
      tokens: holdings.map(tokenAccount),
    };
    const result = demoResult(
      {
        operators: operators.length,
        machines: plan.machines.length,
        orders: trade.placed.length,
        settlements: trade.settlements,
        orderToLeaseMs: trade.orderToLeaseMs,
      },
      findings,
    );
    this.outcome = { result, passed: passed(result) };
    this.#dependencies.write(`${reportLines(result, findings).join('\n')}\n`);
    this.#dependencies.onResult(result);
    return this.outcome;
  }

  /**
   * Waits until every order was in a closed round and rounds stopped bringing leases, then replays the chain. Goes on waiting
   * while the last closed round lapsed with matches it should have settled. Throws DemoUnfinishedError when that does not end.
   */
  async #audit(
    chain: DevnetChain,
    market: DevnetMarket,
    schedule: Schedule,
    placed: readonly PlacedOrder[],
    view: TradeView,
  ): Promise<AuditReport> {
    const lastEligibleFrom = placed.reduce((latest, order) => Math.max(latest, order.eligibleFromBlock), 0);
    let round = 1;
    while (snapshotBlockOf(schedule, round) < lastEligibleFrom) round++;
    const lastAllowed = round + PATIENCE_ROUNDS;
    let quiet = 0;
    for (; ; round++) {
      const leasesBefore = view.leaseCount;
      await chain.blocks.reached(snapshotBlockOf(schedule, round + 1));
      this.#requireServices();
      quiet = view.leaseCount === leasesBefore ? quiet + 1 : 0;
      if (view.leaseCount < placed.length && quiet < QUIET_ROUNDS && round < lastAllowed) continue;
      this.#say('replaying the chain and computing every round anew');
      const audit = await auditRun(market.deployment, chain.rpc, snapshotBlockOf(schedule, round + 1));
      if (audit.lapsedInLastRound === 0) return audit;
      if (round >= lastAllowed) throw new DemoUnfinishedError(round, audit.lapsedInLastRound);
      round = openRoundAt(schedule, chain.blocks.head().number);
      quiet = 0;
    }
  }

  #requireServices(): void {
    for (const { name, process, logFile } of this.#services) {
      if (!process.isRunning() && !this.#isPaused(process))
        throw new ServiceFailedError(name, 'ended by itself', logFile);
    }
  }

  /** Leaves everything running with keys for whoever wants to take part, until interrupted. */
  async #keepRunning(chain: DevnetChain, market: DevnetMarket): Promise<void> {
    const { runDir } = this.#options;
    const { deployment } = market;
    const deploymentFile = path.join(runDir, 'deployment.json');
    this.#closers.push(await this.#serveNewcomers(chain, market));
    const newcomers = ['tenant', 'provider'].map((name) => ({ name, ...chain.nextAccount() }));
    for (const { account } of newcomers) {
      await fundAccount({ deployment, rpcUrl: chain.url, account: account.address });
    }
    const roles = [
      { name: 'governor', privateKey: chain.keyOf(market.governorLane.address) },
      { name: 'verifier', privateKey: chain.keyOf(market.verifierLane.address) },
      { name: 'oracle', privateKey: chain.keyOf(market.oracleLane.address) },
      ...market.auditorLanes.map(({ address }, index) => ({
        name: `auditor-${index + 1}`,
        privateKey: chain.keyOf(address),
      })),
    ];
    const keystores = [...newcomers, ...roles].map(({ name, privateKey }) => {
      // Another run may have left a key of the same name in a folder that was named.
      rmSync(path.join(runDir, `${name}.json`), { force: true });
      const file = writeKeyFiles(runDir, name, privateKey);
      return { name, address: privateKeyToAccount(privateKey).address, file };
    });
    this.#dependencies.write(
      [
        '',
        'everything is left running; Ctrl-C ends it',
        `  chain        ${chain.url} (chain id ${chain.chainId})`,
        ...this.#running().map(({ name, url, configFile }) => `  ${name.padEnd(12)} ${url}  ${configFile}`),
        ...Object.entries(deployment.contracts).map(([name, address]) => `  ${name.padEnd(20)} ${address}`),
        '',
        'to take part, in another terminal:',
        `  export MATCHMAKER_DEPLOYMENT=${deploymentFile}`,
        `  export MATCHMAKER_RPC_URL=${chain.url}`,
        '  and with each command --keystore <name>.json --password-file <name>.password of',
        ...keystores.map(({ name, address, file }) => `  ${name.padEnd(12)} ${address}  ${file}`),
        '  the providers of the demo serve every order that they win;',
        '  the tenant and the provider have gas and a million of each token; for any other account:',
        '  node dist/matchmaker.js devnet fund --account <address>',
        '',
      ].join('\n'),
    );
    await rejectedWhen(this.#dependencies.interrupted);
  }

  /** Nobody else would get ready for who orders from now on. */
  async #serveNewcomers(chain: DevnetChain, market: DevnetMarket): Promise<() => Promise<void>> {
    const end = await serveNewcomers(chain, market, {
      onProblem: (problem) => {
        if (!this.#stopping) this.#say(`a provider of the demo could not serve ${problem}`);
      },
    });
    return () => {
      end();
      return Promise.resolve();
    };
  }

  /** The services that run now; one that was started again occurs once. */
  #running(): ServiceProcess[] {
    const running = this.#services.filter(({ process }) => process.isRunning());
    return running.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  }

  #say(text: string): void {
    const seconds = ((monotonicMs() - this.#startedAtMs) / 1_000).toFixed(1).padStart(6);
    this.#table.say(`[${seconds} s] ${text}\n`);
  }
}

/** How many machines there are of each GPU model, the most frequent first. */
function hardwareOf({ machines, modelNames }: MarketPlan): string[] {
  const counts = new Map<string, number>();
  for (const { spec } of machines) {
    const name = spec.model === 0 ? 'without' : (modelNames.get(spec.model) ?? `model ${spec.model}`);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.map(([name, count]) => `${count} ${name}`);
}

/** What is seen of the market while orders come in: for the table and for the measurements of the report. */
class TradeView {
  readonly #chain: DevnetChain;
  readonly #market: DevnetMarket;
  readonly #schedule: Schedule;
  readonly #ordersTotal: number;
  readonly #table: LiveTable;
  readonly #watch: SettlementWatch;
  readonly #weightOf: ReadonlyMap<string, number>;
  readonly #placed = new Map<number, PlacedOrder>();
  readonly #signersOf = new Map<SeenSettlement, number>();
  readonly #reading = new Set<Promise<void>>();
  readonly #off: () => void;

  constructor(
    chain: DevnetChain,
    market: DevnetMarket,
    operators: readonly DevnetOperator[],
    schedule: Schedule,
    ordersTotal: number,
    table: LiveTable,
  ) {
    this.#chain = chain;
    this.#market = market;
    this.#schedule = schedule;
    this.#ordersTotal = ordersTotal;
    this.#weightOf = new Map(operators.map(({ signer, stakeWhole }) => [signer, stakeWhole]));
    this.#table = table;
    this.#watch = new SettlementWatch(market.deployment, chain.blocks, (settlement) => this.#settled(settlement));
    this.#off = chain.blocks.onBlock(() => this.#refresh());
  }

  get leaseCount(): number {
    return this.#watch.leasedAtMs.size;
  }

  placed(order: PlacedOrder): void {
    this.#placed.set(order.orderId, order);
  }

  settlements(): (SeenSettlement & { snapshotBlock: number; signers: number })[] {
    return this.#watch.settlements.map((settlement) => ({
      ...settlement,
      snapshotBlock: snapshotBlockOf(this.#schedule, settlement.round),
      signers: this.#signersOf.get(settlement) ?? 0,
    }));
  }

  orderToLeaseMs(): number[] {
    return [...this.#watch.leasedAtMs].flatMap(([orderId, leasedAtMs]) => {
      const order = this.#placed.get(orderId);
      return order === undefined ? [] : [leasedAtMs - order.sentAtMs];
    });
  }

  /** Stops watching and waits for what is still being read. */
  async finished(): Promise<void> {
    this.#off();
    this.#watch.stop();
    await Promise.all(this.#reading);
  }

  #settled(settlement: SeenSettlement): void {
    const reading = this.#readSigners(settlement).finally(() => this.#reading.delete(reading));
    this.#reading.add(reading);
  }

  async #readSigners(settlement: SeenSettlement): Promise<void> {
    const signers = await settlementSigners(this.#market.deployment, this.#chain.rpc, settlement.transactionHash);
    this.#signersOf.set(settlement, signers.length);
    const total = [...this.#weightOf.values()].reduce((sum, weight) => sum + weight, 0);
    const signed = signers.reduce((sum, signer) => sum + (this.#weightOf.get(signer) ?? 0), 0);
    const waits = settlement.leased.flatMap((orderId) => {
      const order = this.#placed.get(orderId);
      return order === undefined ? [] : [settlement.seenAtMs - order.sentAtMs];
    });
    const records = settlement.leased.length + settlement.skipped;
    this.#table.add({
      round: settlement.round,
      snapshotBlock: snapshotBlockOf(this.#schedule, settlement.round),
      settledBlock: settlement.blockNumber,
      signatures: signers.length,
      operators: this.#weightOf.size,
      signedPercent: (100 * signed) / total,
      leases: settlement.leased.length,
      skipped: settlement.skipped,
      gasPerMatch: Math.round(Number(settlement.gasUsed) / records),
      orderToLeaseMs: percentile(waits, 50),
    });
  }

  #refresh(): void {
    const { number } = this.#chain.blocks.head();
    this.#table.update(
      {
        headBlock: number,
        openRound: openRoundAt(this.#schedule, number),
        ordersInChain: this.#placed.size,
        ordersTotal: this.#ordersTotal,
        leases: this.leaseCount,
      },
      monotonicMs(),
    );
  }
}
