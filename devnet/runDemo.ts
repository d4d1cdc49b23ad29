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
import type { Curve } from '../protocol/operatorTable.js';
import { auditRun, type AuditReport } from './auditRun.js';
import { carryTables } from './carryTables.js';
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
import { STAKE_CHAIN_MNEMONIC } from './devAccounts.js';
import { monotonicMs, startDevnetChain, type DevnetChain } from './devnetChain.js';
import { freePort } from '../service/freePort.js';
import { fundTenants } from './fundTenants.js';
import { generateMarket } from './generateMarket.js';
import { importTrace } from './importTrace.js';
import { inviteNewcomers } from './inviteNewcomers.js';
import { LiveTable } from './liveTable.js';
import type { MarketPlan } from './marketPlan.js';
import { OperatorProcesses } from './operatorProcesses.js';
import { operatorStakes } from './operatorStakes.js';
import { loadDefaultPolicy } from './parameters.js';
import { populateMarket, type PopulatedMarket } from './populateMarket.js';
import {
  logTail,
  startAggregator,
  startWatcher,
  untilReady,
  writeDeployment,
  ServiceFailedError,
  type ServiceOptions,
  type ServiceProcess,
} from './runProcesses.js';
import { readStakeHoldings } from './readStakeHoldings.js';
import { readTokenHoldings } from './readTokenHoldings.js';
import { sendOrders, type PlacedOrder } from './sendOrders.js';
import { serveNewcomers } from './serveNewcomers.js';
import { signingKeyOf } from './signingKeyOf.js';
import { ANVIL_DEFAULTS } from './startAnvil.js';
import { attackScene, ATTACK_ACCOUNTS, type AttackScene } from './story/attack.js';
import { attackPlan } from './story/attackPlan.js';
import { setBidWindow, STORY_BID_WINDOW_BLOCKS } from './story/bids.js';
import { runStory, STORY_ACCOUNTS } from './story/runStory.js';
import { storyPlan } from './story/storyPlan.js';
import { ordersToExplain, provenScenes } from './story/sceneProofs.js';
import { StoryContext, type SceneReport } from './story/storyContext.js';
import { TradeView } from './tradeView.js';
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
  /** On which operators sign. */
  readonly curve: Curve;
  /** Run the stake chain as a node of its own. */
  readonly twoChains: boolean;
  /** At the end have a quorum settle a wrong match, and a watcher have it slashed. */
  readonly attack: boolean;
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
const STAKE_CHAIN_ID = ANVIL_DEFAULTS.chainId + 1;
const ACCOUNTS_OF_STAKE_CHAIN = 16;
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
  #common: ServiceOptions | undefined;
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
    const { seed, providers, orders, trace, operators, blockTimeMs, roundLengthBlocks, rpcPort, runDir, curve } =
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
      accounts:
        ACCOUNTS_BESIDES + STORY_ACCOUNTS + ATTACK_ACCOUNTS + plan.providers.length + plan.tenantCount + 3 * operators,
    });
    this.#closers.push(() => chain.stop());
    this.#sayWhenEnded('the chain', chain.anvil.process);
    const stakeChain = this.#options.twoChains ? await this.#startStakeChain(operators) : chain;

    this.#say('deploying EigenLayer, the operator set and the market');
    const market = await deployDevnet(
      chain,
      {
        curve,
        blockTimeMs,
        policy: { selfMatchRounds: SELF_MATCH_ROUNDS },
        ...(roundLengthBlocks === undefined ? {} : { roundLengthBlocks }),
      },
      stakeChain,
    );
    this.#say(
      `registering ${operators} operators, ${plan.providers.length} providers with ${plan.machines.length} machines, ${plan.tenantCount} tenants`,
    );
    const signingKeys = stakes.map(() => signingKeyOf(curve, chain.nextAccount().privateKey));
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
    const { story, attack: isAttacked } = this.#options;
    // Before the scenes begin, whose actors send with the keys that this is done with.
    const [storyMarket, attackMarket] = await Promise.all([
      story ? populateMarket(storyPlan(), chain, market) : null,
      isAttacked ? populateMarket(attackPlan(), chain, market) : null,
    ]);
    const context = this.#contextOf(running);
    const scenes = storyMarket === null ? [] : await this.#story(context, storyMarket, running, trade);
    const attack = attackMarket === null ? null : await this.#attack(context, attackMarket);
    // From now on people may bid by hand.
    if (story) await setBidWindow(context, STORY_BID_WINDOW_BLOCKS);
    const outcome = await this.#report(running, trade, { scenes, attack });
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

  async #startStakeChain(operators: number): Promise<DevnetChain> {
    const { blockTimeMs } = this.#options;
    this.#say('starting a stake chain beside it');
    const chain = await startDevnetChain({
      mining: blockTimeMs / 1_000,
      chainId: STAKE_CHAIN_ID,
      mnemonic: STAKE_CHAIN_MNEMONIC,
      accounts: ACCOUNTS_OF_STAKE_CHAIN + 2 * operators,
    });
    this.#closers.push(() => chain.stop());
    this.#sayWhenEnded('the stake chain', chain.anvil.process);
    return chain;
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
    const common = {
      cliFile,
      runDir,
      rpcUrl: chain.url,
      ...(market.stakeChain === chain ? {} : { stakeRpcUrl: market.stakeChain.url }),
      deploymentFile: writeDeployment(runDir, market.deployment),
    };
    this.#common = common;
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
      const { curve } = this.#options;
      seats.push({ name: operatorName(index), port: await freePort(), curve, privateKey: signingKey, stakeWhole });
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
    const isOperator = this.#services.some((service) => service.process === process && service.kind === 'operator');
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

  /** The running market as scenes see it. */
  #contextOf({ chain, market, schedule, operators }: RunningMarket): StoryContext {
    const [operatorSwitch, settler] = [this.#operators, this.#settler];
    if (operatorSwitch === undefined || settler === undefined) throw new Error('the services were not started');
    const requireServices = (): void => this.#requireServices();
    return new StoryContext({ chain, market, schedule, operators, operatorSwitch, settler, requireServices });
  }

  /** Plays the economy's scenes on the market that the trade left. */
  async #story(
    context: StoryContext,
    storyMarket: PopulatedMarket,
    { populated, tenantLanes }: RunningMarket,
    trade: TradeOutcome,
  ): Promise<readonly SceneReport[]> {
    this.#say('playing the economy: leases, bids, compliance, slashing, self-match, rewards');
    const { providerIds, providerLanes } = populated;
    const orderIds = trade.placed.map(({ orderId }) => orderId);
    return runStory(
      context,
      storyMarket,
      { orderIds, tenantLanes, providerIds, providerLanes },
      { onScene: ({ scene }) => this.#say(`scene over: ${scene}`) },
    );
  }

  /** Has a quorum settle a wrong match, and a watcher with a key of its own find it. */
  async #attack(context: StoryContext, populated: PopulatedMarket): Promise<AttackScene> {
    this.#say('stopping the operators; starting a watcher');
    return attackScene(
      context,
      { quorumBps: loadDefaultPolicy().quorumBps, populated },
      { startWatcher: () => this.#startWatcher(context.market), say: (what) => this.#say(what) },
    );
  }

  async #startWatcher({ stakeChain }: DevnetMarket): Promise<Address> {
    if (this.#common === undefined) throw new Error('the services were not started');
    // What an earlier run left there was signed with the same keys, on a chain that is no more, and would be proven again.
    rmSync(path.join(this.#options.runDir, 'watcher'), { recursive: true, force: true });
    const { privateKey, account } = stakeChain.nextAccount();
    const watcher = await startWatcher({ ...this.#common, name: 'watcher', port: await freePort(), privateKey });
    this.#watch(watcher);
    await untilReady([watcher]);
    return account.address;
  }

  /** Replays the whole run, follows every token, and shows the report. */
  async #report(
    { chain, market, operators, plan }: RunningMarket,
    trade: TradeOutcome,
    { scenes: reports, attack }: { readonly scenes: readonly SceneReport[]; readonly attack: AttackScene | null },
  ): Promise<DemoOutcome> {
    const { number, hash } = chain.blocks.head();
    const { deployment, stakeChain } = market;
    let wholeAudit = trade.audit;
    const played = attack === null ? reports : [...reports, attack.scene];
    if (played.length > 0) {
      this.#say('replaying the whole run');
      wholeAudit = await auditRun(deployment, chain.rpc, number, {
        explain: ordersToExplain(played),
        ...(attack === null ? {} : { planted: attack.report.planted }),
      });
    }
    this.#say('following every token');
    const known = {
      operators: deployment.quorum.curve === 'ecdsa' ? operators.map(({ signer }) => signer) : [],
      settler: this.#settler ?? zeroAddress,
    };
    const stakeHead = stakeChain === chain ? { number, hash } : stakeChain.blocks.head();
    const holdings = [
      ...(await readTokenHoldings(market, chain.rpc, { number, hash }, known)),
      ...(await readStakeHoldings(
        deployment,
        stakeChain.rpc,
        stakeHead,
        operators.map(({ address }) => address),
      )),
    ];
    const { scenes, mismatches } = provenScenes(reports, wholeAudit);
    const provenAttack = provenScenes(attack === null ? [] : [attack.scene], wholeAudit);
    const findings: RunFindings = {
      audit: trade.audit,
      wholeAudit,
      scenes,
      sceneMismatches: [...mismatches, ...provenAttack.mismatches],
      tokens: holdings.map(tokenAccount),
      attack: attack === null ? null : { report: attack.report, lines: provenAttack.scenes.map(({ line }) => line) },
    };
    const result = demoResult(
      {
        curve: deployment.quorum.curve,
        chains: stakeChain === chain ? 1 : 2,
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
    this.#closers.push(await this.#serveNewcomers(chain, market));
    this.#closers.push(
      carryTables(chain, market, {
        onProblem: (problem) => this.#say(`the operator table could not be carried: ${problem}`),
      }),
    );
    const invitation = await inviteNewcomers({ chain, market, runDir, services: this.#running() });
    this.#dependencies.write(invitation.join('\n'));
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
