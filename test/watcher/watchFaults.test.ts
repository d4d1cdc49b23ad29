import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Address, Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { buildMatchBatch } from '../../chain/buildMatchBatch.js';
import { devnetTokenAbi } from '../../chain/contracts/generated/DevnetToken.js';
import { iAllocationManagerAbi } from '../../chain/contracts/generated/IAllocationManager.js';
import { OffenceBook, type Offence } from '../../chain/judge/offenceBook.js';
import type { TransactionLane } from '../../chain/deploy/transactionLane.js';
import { viewCall } from '../../chain/rewards/viewCall.js';
import { RpcAnswerError, type Rpc } from '../../chain/rpc/rpc.js';
import { latestBlock } from '../../chain/rpc/rpcCall.js';
import { SubmitterStoppedError, TransactionRevertedError } from '../../chain/submission/submission.js';
import { Submitter } from '../../chain/submission/submitter.js';
import { RoundFollower, type RoundContext } from '../../chain/sync/roundFollower.js';
import { deployDevnet, publishOperatorTable, registerOperators } from '../../devnet/deployDevnet.js';
import type { DevnetMarket, DevnetOperator } from '../../devnet/deployDevnet.js';
import { startDevnetChain, type StartedDevnetChain } from '../../devnet/devnetChain.js';
import { fundTenants } from '../../devnet/fundTenants.js';
import { ANYTHING, generateMarket } from '../../devnet/generateMarket.js';
import type { MarketPlan, OrderPlan } from '../../devnet/marketPlan.js';
import { operatorStakes } from '../../devnet/operatorStakes.js';
import { populateMarket } from '../../devnet/populateMarket.js';
import { sendOrders } from '../../devnet/sendOrders.js';
import type { MatchRecord } from '../../engine/record.js';
import { plantFault, type PlantedKind } from '../../engine/reference/plantFault.js';
import { quorumDigest } from '../../protocol/certificate.js';
import { systemClock } from '../../service/clock.js';
import { createLogger } from '../../service/logger.js';
import { CaseStore, type FaultCase } from '../../watcher/caseStore.js';
import { runWatcher, type RunningSubmitter, type RunningWatcher } from '../../watcher/runWatcher.js';
import { loadWatcherConfig } from '../../watcher/watcherConfig.js';
import { readWatcherReport } from '../../watcher/watcherReport.js';
import { InProcessQuorum } from '../support/inProcessQuorum.js';

/** Orders of one phase, and phases: every test trades its own. */
const PHASE_ORDERS = 5;
const PHASES = 8;
const TENANTS = 2;
const PATIENCE_MS = 60_000;
const LONGEST_PAUSE_MS = 100;

let chain: StartedDevnetChain;
let market: DevnetMarket;
let plan: MarketPlan;
let operators: readonly DevnetOperator[];
let providerIds: readonly number[];
let tenantLanes: readonly TransactionLane[];
let nextPhase = 0;
const signingKeys: Hex[] = [];
const folders: string[] = [];
const watchers: RunningWatcher[] = [];

beforeAll(async () => {
  chain = await startDevnetChain({ mining: 0.1, accounts: 60 });
  market = await deployDevnet(chain, { blockTimeMs: 100, roundLengthBlocks: 8 });
  const orders = Array.from({ length: PHASES * PHASE_ORDERS }, (_, index): OrderPlan => {
    return { tenant: index % TENANTS, spec: { ...ANYTHING, cpuMilli: 100, maxPriceMicroPerHour: 1_000_000 } };
  });
  plan = { ...generateMarket({ providers: 3, orders: 0, seed: 11 }), orders, tenantCount: TENANTS };
  signingKeys.push(...operatorStakes(4).map(() => chain.nextAccount().privateKey));
  const [registered, populated, lanes] = await Promise.all([
    registerOperators(chain, market, operatorStakes(4), signingKeys),
    populateMarket(plan, chain, market),
    fundTenants(plan, chain, market),
  ]);
  await publishOperatorTable(chain, market);
  operators = registered;
  providerIds = populated.providerIds;
  tenantLanes = lanes;
}, 120_000);

afterEach(async () => {
  await Promise.all(watchers.splice(0).map((watcher) => watcher.stop()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

afterAll(() => chain.stop());

async function until(what: string, isTrue: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(50);
  }
}

function newFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'watcher-'));
  folders.push(folder);
  return folder;
}

interface WatcherSetup {
  readonly dataDir: string;
  readonly challenger?: Hex;
  readonly evidenceLogs?: readonly string[];
  /** The market chain's node; default the one that has everything. */
  readonly rpc?: Rpc;
  /** Changes how transactions are sent. */
  readonly wrap?: (submitter: RunningSubmitter) => RunningSubmitter;
}

async function watch(setup: WatcherSetup): Promise<RunningWatcher> {
  const { dataDir, challenger, evidenceLogs = [], rpc = chain.rpc, wrap = (submitter) => submitter } = setup;
  const flags = { deployment: 'given', rpcUrl: chain.url, dataDir, evidenceLogs, listen: { port: 0 } };
  const config = loadWatcherConfig({ flags: { ...flags, factsCheck: 'storage', pollIntervalMs: 20 } });
  const watcher = await runWatcher(config, {
    deployment: market.deployment,
    key: challenger === undefined ? undefined : { privateKey: challenger, address: addressOf(challenger) },
    rpc,
    stakeRpc: chain.rpc,
    logger: createLogger({ service: 'watcher', level: 'silent' }),
    // What a node refuses is asked for again after a while, which no test needs to wait for.
    clock: { ...systemClock, sleep: (ms, signal) => systemClock.sleep(Math.min(ms, LONGEST_PAUSE_MS), signal) },
    randomSalt: () => `0x${randomBytes(32).toString('hex')}`,
    createFollower: (options, dependencies) => new RoundFollower(options, dependencies),
    createSubmitter: (options, dependencies) => wrap(new Submitter(options, dependencies)),
  });
  watchers.push(watcher);
  await watcher.caughtUp;
  return watcher;
}

function addressOf(privateKey: Hex): Address {
  return privateKeyToAccount(privateKey).address;
}

/** What a quorum settled in place of what the rules gave. */
interface Planted {
  readonly round: number;
  readonly records: readonly MatchRecord[];
}

/** Trades one phase with a quorum that plants a fault, in the next round again where a settlement came too late. */
async function settleWrongly(kind: PlantedKind): Promise<Planted> {
  let planted: Planted | undefined;
  const quorum = await trade((honest, context) => {
    if (planted !== undefined) return honest;
    const { snapshot, policy, seed, round } = context;
    const records = plantFault(kind, { snapshot, policy, seed, nextOrderId: 1_000_000, choose: () => 0 });
    // A round that is not settled leaves its orders to the next.
    if (records === undefined) return [];
    planted = { round, records };
    return records;
  });
  try {
    for (;;) {
      await until(`a ${kind} is settled`, () => planted !== undefined && quorum.settlements.has(planted.round));
      const settled: Planted = planted!;
      if (await quorum.settlements.get(settled.round)!.then(() => true, isTooLate)) return settled;
      planted = undefined;
    }
  } finally {
    await quorum.stop().catch(isTooLate);
  }
}

/** Passes over a settlement that a slow machine brought after its round; throws anything else. */
function isTooLate(error: unknown): false {
  if (error instanceof TransactionRevertedError && /^Round(NotOpen|AlreadySettled)$/.test(error.errorName ?? '')) {
    return false;
  }
  throw error;
}

async function trade(
  alter: (records: readonly MatchRecord[], context: RoundContext) => readonly MatchRecord[],
): Promise<InProcessQuorum> {
  const quorum = new InProcessQuorum(
    { signingKeys, alter: (records, _round, context) => alter(records, context) },
    chain,
    market,
  );
  await quorum.start();
  const orders = plan.orders.slice(nextPhase * PHASE_ORDERS, (nextPhase + 1) * PHASE_ORDERS);
  nextPhase++;
  if (orders.length === 0) throw new Error('no orders are left to trade');
  await sendOrders(
    { ...plan, orders },
    providerIds,
    { chain, market, tenantLanes },
    { spreadBlocks: 1, onPlaced: () => undefined },
  );
  return quorum;
}

/** The case that a watcher keeps of a round; it keeps those of earlier tests too, whose rounds it goes over at its start. */
function caseOf(dataDir: string, round: number): FaultCase | undefined {
  return new CaseStore({ folder: path.join(dataDir, 'cases') }).list().find((kept) => kept.round === round);
}

async function offencesIn(round: number): Promise<Offence[]> {
  const { slasher, vault, deploymentBlock } = market.deployment.stake;
  const { curve } = market.deployment.quorum;
  const book = new OffenceBook({ slasher, vault, curve, fromBlock: deploymentBlock }, { rpc: chain.rpc });
  await book.refresh();
  return book.all().filter((offence) => offence.round === round);
}

async function read<Result>(call: (at: Hex) => Parameters<typeof chain.rpc.request<Result>>[0]): Promise<Result> {
  const head = await chain.rpc.request(latestBlock());
  return chain.rpc.request(call(head.hash));
}

/** What each operator has allocated to the set, of 1e18. */
function magnitudes(): Promise<bigint[]> {
  const { eigenlayer, operatorSet, strategy } = market.deployment;
  return Promise.all(
    operators.map(async ({ address }) => {
      const { currentMagnitude } = await read((at) =>
        viewCall(
          {
            address: eigenlayer.allocationManager,
            abi: iAllocationManagerAbi,
            functionName: 'getAllocation',
            args: [address, operatorSet, strategy],
          },
          at,
        ),
      );
      return currentMagnitude;
    }),
  );
}

function stakeTokensOf(holder: Address): Promise<bigint> {
  const address = market.deployment.stakeToken;
  return read((at) => viewCall({ address, abi: devnetTokenAbi, functionName: 'balanceOf', args: [holder] }, at));
}

describe('a watcher', () => {
  test('records honest rounds as agreed and finds no case', async () => {
    const dataDir = newFolder();
    const watcher = await watch({ dataDir });
    const quorum = await trade((records) => records);
    await until('a round is settled', () => quorum.settlements.size > 0);
    const [round = 0] = [...quorum.settlements.keys()];
    await quorum.settlements.get(round);
    const log = path.join(dataDir, 'rounds.jsonl');
    const entries = () =>
      readFileSync(log, { encoding: 'utf8', flag: 'a+' })
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { round: number; outcome: string });
    await until('the round is in the record', () => entries().some((entry) => entry.round === round));
    await quorum.stop().catch(isTooLate);
    expect(entries().find((entry) => entry.round === round)?.outcome).toBe('agreed');
    expect(new CaseStore({ folder: path.join(dataDir, 'cases') }).list()).toEqual([]);
    const ready = await fetch(`${watcher.url}/health/ready`);
    expect([ready.status, await ready.json()]).toMatchObject([200, { ready: true }]);
    const metrics = await (await fetch(`${watcher.url}/metrics`)).text();
    expect(metrics).toMatch(/matchmaker_watcher_rounds_total\{outcome="agreed"\} [1-9]/);
  }, 120_000);

  test('proves a wrong match of a colluding quorum, has its stake slashed, is paid, and makes the tenant whole', async () => {
    const dataDir = newFolder();
    const challenger = chain.nextAccount().privateKey;
    await watch({ dataDir, challenger });
    const before = await magnitudes();
    const { round } = await settleWrongly('worseMachine');
    await until('the challenger and the tenant are paid', async () => {
      const [offence] = await offencesIn(round);
      return offence !== undefined && offence.paidToChallenger > 0n && offence.paidToVictim > 0n;
    });
    const offences = await offencesIn(round);
    expect(offences).toHaveLength(1);
    const [offence] = offences;
    expect(offence).toMatchObject({ fault: 'betterCandidate', challenger: addressOf(challenger) });
    expect(offence?.signerKeys.toSorted()).toEqual(operators.map(({ signer }) => signer.toLowerCase()).toSorted());
    expect(offence?.slashes).toHaveLength(operators.length);
    const after = await magnitudes();
    expect(after).toEqual(before.map((magnitude) => magnitude / 2n));
    expect(await stakeTokensOf(addressOf(challenger))).toBe(offence?.paidToChallenger);
    expect(offence?.victim?.tenant).toBeDefined();
    expect(await stakeTokensOf(offence!.victim!.tenant)).toBeGreaterThanOrEqual(offence!.paidToVictim);

    const report = await readWatcherReport({ dataDir }, { deployment: market.deployment, stakeRpc: chain.rpc });
    const reported = report.cases.find((entry) => entry.round === round);
    expect(reported).toMatchObject({ kind: 'batch', problem: null, offenceIds: [offence?.offenceId] });
    expect(reported?.findings[0]).toMatch(/went to machine \d+ with \d+ points although machine \d+ had \d+/);
  }, 180_000);

  test('keeps the proof without a key, and one with a key can use it after nodes have moved on', async () => {
    const dataDir = newFolder();
    const reporter = await watch({ dataDir });
    const { round } = await settleWrongly('omittedOrder');
    await until('a case is kept', () => caseOf(dataDir, round) !== undefined);
    await reporter.stop();
    expect(caseOf(dataDir, round)?.proofs[0]?.fault).toBe('omittedOrder');
    expect(await offencesIn(round)).toEqual([]);

    await watch({ dataDir, challenger: chain.nextAccount().privateKey });
    await until('all signers are slashed', async () => {
      const [offence] = await offencesIn(round);
      return offence?.slashes.length === operators.length;
    });
  }, 180_000);

  test('finds what was settled while nobody watched', async () => {
    const { round } = await settleWrongly('wrongProvider');
    const dataDir = newFolder();
    await watch({ dataDir });
    await until('a case is kept', () => caseOf(dataDir, round) !== undefined);
  }, 120_000);

  test('goes on where it was when it ends after any step, and slashes once', async () => {
    const dataDir = newFolder();
    const challenger = chain.nextAccount().privateKey;
    // Steps of the cases of earlier tests are taken too.
    let steps = 0;
    let isDone = false;
    /** Lets one transaction through, then the process is as good as dead. */
    const once = (submitter: RunningSubmitter): RunningSubmitter => {
      let isSpent = false;
      return {
        start: () => submitter.start(),
        stop: () => submitter.stop(),
        submit: async (request) => {
          if (isSpent) throw new SubmitterStoppedError(request.label);
          isSpent = true;
          const result = await submitter.submit(request);
          steps++;
          return result;
        },
      };
    };
    const first = await watch({ dataDir, challenger, wrap: once });
    const { round } = await settleWrongly('wrongPrice');
    await until('the first step was taken', () => steps > 0);
    await first.stop();
    for (let incarnation = 0; incarnation < 40 && !isDone; incarnation++) {
      const taken = steps;
      const next = await watch({ dataDir, challenger, wrap: once });
      await until('a step was taken, or there is none left', async () => {
        const [offence] = await offencesIn(round);
        isDone = (offence?.paidToChallenger ?? 0n) > 0n && (offence?.paidToVictim ?? 0n) > 0n;
        return steps > taken || isDone;
      });
      await next.stop();
    }
    expect(isDone).toBe(true);
    const offences = await offencesIn(round);
    expect(offences).toHaveLength(1);
    const slashed = offences[0]!.slashes.map(({ operator }) => operator.toLowerCase());
    expect(slashed.toSorted()).toEqual(operators.map(({ address }) => address.toLowerCase()).toSorted());
  }, 240_000);

  test('leaves the race to another challenger, and both end with one offence', async () => {
    const one = await watch({ dataDir: newFolder(), challenger: chain.nextAccount().privateKey });
    const other = await watch({ dataDir: newFolder(), challenger: chain.nextAccount().privateKey });
    const { round } = await settleWrongly('wrongResources');
    await until('all signers are slashed', async () => {
      const [offence] = await offencesIn(round);
      return offence?.slashes.length === operators.length;
    });
    for (const watcher of [one, other]) {
      await until('every case is done', async () => {
        const metrics = await (await fetch(`${watcher.url}/metrics`)).text();
        const stages = [...metrics.matchAll(/cases_by_stage\{stage="(\w+)"\} [1-9]/g)].map(([, stage]) => stage);
        return stages.length === 1 && stages[0] === 'done';
      });
    }
    expect(await offencesIn(round)).toHaveLength(1);
  }, 180_000);

  test('proves a key that signed two batches of a round, from an aggregator’s log', async () => {
    const folder = newFolder();
    const evidenceLog = path.join(folder, 'evidence.jsonl');
    const challenger = chain.nextAccount().privateKey;
    const before = await magnitudes();
    await watch({ dataDir: path.join(folder, 'data'), challenger, evidenceLogs: [evidenceLog] });
    const [guilty, ...innocent] = operators;
    const seen: { context: RoundContext; records: readonly MatchRecord[] }[] = [];
    const quorum = await trade((records, context) => {
      if (records.length > 1) seen.push({ context, records });
      return records;
    });
    await until('a round has two records', () => seen.length > 0);
    await quorum.stop().catch(isTooLate);
    const [{ context, records }] = seen as [(typeof seen)[number]];
    const { round } = context;
    appendFileSync(evidenceLog, `${JSON.stringify(await conflictOf(guilty!, context, records))}\n`);
    await until('the key is slashed', async () => (await offencesIn(round))[0]?.slashes.length === 1);
    const [offence] = await offencesIn(round);
    expect(offence).toMatchObject({ fault: 'equivocation', signerKeys: [guilty!.signer.toLowerCase()] });
    const after = await magnitudes();
    expect(after[0]).toBeLessThan(before[0]!);
    expect(after.slice(1)).toEqual(before.slice(1));
    expect(innocent).toHaveLength(3);
  }, 180_000);

  test('says so when the node has dropped the state that would prove a fault', async () => {
    const dataDir = newFolder();
    const watcher = await watch({ dataDir, rpc: withoutProofs(chain.rpc), challenger: chain.nextAccount().privateKey });
    const { round } = await settleWrongly('wrongPrice');
    await until('the case is kept', () => caseOf(dataDir, round) !== undefined);
    expect(caseOf(dataDir, round)).toMatchObject({ proofs: [], problem: expect.stringContaining('missing trie node') });
    expect(await offencesIn(round)).toEqual([]);
    const metrics = await (await fetch(`${watcher.url}/metrics`)).text();
    expect(metrics).toMatch(/^matchmaker_watcher_proofs_unavailable_total [1-9]/m);
  }, 120_000);
});

/** A node that has the newest state alone: it proves nothing of an older one. */
function withoutProofs(rpc: Rpc): Rpc {
  const refusal = ({ method }: { readonly method: string }): RpcAnswerError | undefined =>
    method === 'eth_getProof' ? new RpcAnswerError('eth_getProof: missing trie node') : undefined;
  return {
    request: async (call) => {
      const refused = refusal(call);
      if (refused !== undefined) throw refused;
      return rpc.request(call);
    },
    batch: async (calls) => {
      for (const call of calls) {
        const refused = refusal(call);
        if (refused !== undefined) throw refused;
      }
      return rpc.batch(calls);
    },
  };
}

/** An aggregator's line about an operator that signed the round's batch, and that batch less one record. */
async function conflictOf(
  operator: DevnetOperator,
  context: RoundContext,
  records: readonly MatchRecord[],
): Promise<object> {
  const { chainId, contracts, quorum } = market.deployment;
  const domain = { chainId, settlement: contracts.matchSettlement };
  const submissions = await Promise.all(
    [records, records.slice(1)].map(async (signed) => {
      const { batch, recordsHex, messageHash } = buildMatchBatch(context, signed, domain);
      const hash = quorumDigest(quorum, { referenceTimestamp: context.table.timestamp, messageHash });
      const signature = await privateKeyToAccount(operator.signingKey).sign({ hash });
      return { batch, records: recordsHex, signature };
    }),
  );
  const seenAt = new Date().toISOString();
  const signer = operator.signer.toLowerCase();
  return { kind: 'conflict', round: context.round, signer, submissions, ...domain, seenAt };
}
