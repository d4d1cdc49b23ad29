import { randomInt } from 'node:crypto';
import { cpSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

import type { ServiceProcess } from '../../devnet/runProcesses.js';
import { decodeGuardRecord, GUARD_RECORD_BYTES, type GuardRecord } from '../../operator/guardRecord.js';
import { guardFolder } from '../../operator/signGuard.js';
import { PseudoRandom } from '../vectors/pseudoRandom.js';
import { LocalNetwork } from './localNetwork.js';

const SCENARIO_MS = 240_000;
/** For what a slow machine takes its time for. */
const PATIENCE_MS = 90_000;
const KILLS = 60;
/** Operators that are killed side by side. */
const KILLED = [0, 1, 2, 3];
const ROUND_LENGTH = 4;
const BLOCK_MS = 250;
/** Every step around a signature, in its order. */
const STEPS = [
  'before-record',
  'torn-record',
  'record-written',
  'record-lost',
  'record-flushed',
  'before-outbox',
  'torn-outbox',
  'outbox-written',
  'outbox-stored',
  'before-post',
  'after-post',
];
const CRASH_POINT = fileURLToPath(new URL('crashPoint.mjs', import.meta.url));
let network: LocalNetwork;

beforeEach(async () => {
  network = await LocalNetwork.start({ roundLengthBlocks: ROUND_LENGTH, mining: 'in-turn' });
  await network.startAggregator();
  await network.ready(network.aggregator);
  // Nothing settles, so that the order stays and every round is worth a signature.
  network.aggregatorRpc.script(async ({ method }, forward) =>
    method === 'eth_sendRawTransaction' ? Promise.reject(new Error('held back')) : forward(),
  );
  await network.order();
}, SCENARIO_MS);

afterEach(async () => {
  await network?.stop();
}, SCENARIO_MS);

/** Where an operator keeps what must survive. */
function dataDirOf(service: ServiceProcess): string {
  return path.join(path.dirname(service.configFile), 'data');
}

/** What an operator's guard has on the disk, a record cut off at the end left out. */
function guardOf(index: number): GuardRecord[] {
  const { chainId, contracts } = network.deployment;
  const scope = { chainId, settlement: contracts.matchSettlement, keyAddress: network.operatorKeys[index]!.signer };
  const bytes = readFileSync(path.join(guardFolder(dataDirOf(network.operators[index]!), scope), 'guard.wal'));
  const records: GuardRecord[] = [];
  for (let at = 0; at + GUARD_RECORD_BYTES <= bytes.length; at += GUARD_RECORD_BYTES) {
    const decoded = decodeGuardRecord(bytes.subarray(at, at + GUARD_RECORD_BYTES));
    if (decoded === undefined) throw new Error(`the guard of operator ${index} is damaged at byte ${at}`);
    records.push(decoded.record);
  }
  return records;
}

test(
  'operators killed at every step around a signature, also while the chain is reorganised, never sign a round twice',
  async () => {
    const seed = randomInt(2 ** 31);
    const random = new PseudoRandom(seed);
    const signedBefore = network.sink.seen.length;
    const died = new Map<string, number>();
    const killAgainAndAgain = async (index: number): Promise<void> => {
      for (let kill = 0; kill < KILLS / KILLED.length; kill++) {
        const step = STEPS[kill];
        await network.startOperator(
          index,
          step === undefined ? {} : { NODE_OPTIONS: `--import=${CRASH_POINT}`, CRASH_AT: step },
        );
        const operator = network.operators[index]!;
        if (step === undefined) {
          // Without a named step: at any time of a round, from the start on.
          await sleep(random.bits(11));
          await network.kill(operator);
        } else {
          await network.until(`${operator.name} to die ${step}`, () => !operator.process.isRunning(), PATIENCE_MS);
          died.set(step, (died.get(step) ?? 0) + 1);
        }
        // A snapshot block that is replaced asks for another digest of its round.
        if (random.bits(1) === 0) await network.blockMaker.reorg(1 + random.bits(2));
      }
    };
    try {
      await Promise.all(KILLED.map(killAgainAndAgain));
      for (const index of KILLED) await network.startOperator(index);
      await network.ready(...KILLED.map((index) => network.operators[index]!));
      const before = network.sink.seen.length;
      await network.until(
        'every operator to sign after its last start',
        () => new Set(network.sink.seen.slice(before).map(({ signer }) => signer)).size === KILLED.length,
        PATIENCE_MS,
      );
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
    }
    expect(Object.fromEntries(died)).toEqual(Object.fromEntries(STEPS.map((step) => [step, KILLED.length])));
    expect({ seed, twice: network.sink.doubleSignatures() }).toEqual({ seed, twice: [] });
    expect(network.sink.seen.length).toBeGreaterThan(signedBefore + KILLED.length);
    expect(network.evidence().filter(({ kind }) => kind === 'conflict')).toEqual([]);
    // No signature left a process whose record is not on its disk.
    for (const index of KILLED) {
      const { signer } = network.operatorKeys[index]!;
      const recorded = new Map(guardOf(index).map(({ round, messageHash }) => [round, messageHash]));
      const sent = network.sink.seen.filter((seen) => seen.signer.toLowerCase() === signer.toLowerCase());
      for (const { round, messageHash } of sent) {
        expect({ seed, index, round, recorded: recorded.get(round) }).toEqual({
          seed,
          index,
          round,
          recorded: messageHash,
        });
      }
    }
  },
  SCENARIO_MS,
);

test(
  'restored from an old backup, an operator abstains until a round that closes after its start',
  async () => {
    await network.startOperator(0);
    const signed = (): number[] => network.sink.seen.map(({ round }) => round);
    await network.until('a first signature', () => signed().length > 0);
    const dataDir = dataDirOf(network.operators[0]!);
    await network.kill(network.operators[0]!);
    const backup = `${dataDir}.backup`;
    cpSync(dataDir, backup, { recursive: true });
    const newestInBackup = Math.max(...guardOf(0).map(({ round }) => round));

    await network.startOperator(0);
    await network.until('signatures that the backup knows nothing of', () => Math.max(...signed()) > newestInBackup);
    // The chain stands still until the lost round has been seen a second time.
    await network.blockMaker.pause();
    const newest = () => network.sink.seen.at(-1)!.batch;
    await network.until('the newest closed round to be signed', async () => {
      return newest().snapshotBlock + ROUND_LENGTH > (await network.blockNumber());
    });
    const { round: lost, snapshotBlock: lostBlock } = newest();
    await network.kill(network.operators[0]!);
    rmSync(dataDir, { recursive: true });
    cpSync(backup, dataDir, { recursive: true });
    expect(Math.max(...guardOf(0).map(({ round }) => round))).toBeLessThan(lost);

    await network.startOperator(0);
    await network.ready(network.operators[0]!);
    const { firstHead } = events('ready').at(-1)!;
    // The block that the lost signature was about is replaced: the guard does not remember, the first head does.
    await network.blockMaker.reorg((await network.blockNumber()) - lostBlock + 1);
    await network.until(`round ${lost} to be seen again`, () =>
      events('round_abstained').some(({ round, reason }) => round === lost && reason === 'BEFORE_START'),
    );
    await network.until('a signature after the restart', async () => {
      await network.blockMaker.mine();
      await sleep(BLOCK_MS);
      return Math.max(...signed()) > lost;
    });
    const later = events('round_signed').filter(({ round }) => round > lost);
    expect(later.length).toBeGreaterThan(0);
    for (const { snapshotBlock } of later) expect(snapshotBlock).toBeGreaterThan(firstHead);
    expect(network.sink.doubleSignatures()).toEqual([]);
  },
  SCENARIO_MS,
);

/** Events of a name in the log of the first operator, oldest first. */
// oxlint-disable-next-line typescript/no-explicit-any -- each event has fields of its own
function events(name: string): Record<string, any>[] {
  return readFileSync(network.operators[0]!.logFile, 'utf8')
    .split('\n')
    .filter((line) => line.includes(`"event":"${name}"`))
    .map((line) => JSON.parse(line));
}
