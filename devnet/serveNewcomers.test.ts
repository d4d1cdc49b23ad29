import { describe, expect, it } from '@jest/globals';
import { encodeAbiParameters, encodeEventTopics, parseAbiParameters, type Address, type Hex } from 'viem';
import { computeLeaseAbi } from '../chain/contracts/generated/ComputeLease.js';
import { matchSettlementAbi } from '../chain/contracts/generated/MatchSettlement.js';
import { encodeRecord } from '../protocol/records.js';
import { waitingIn } from './serveNewcomers.js';

const matchSettlement: Address = '0x00000000000000000000000000000000000000a1';
const computeLease: Address = '0x00000000000000000000000000000000000000a2';
const HASH: Hex = `0x${'ab'.repeat(32)}`;

type Block = Parameters<typeof waitingIn>[0];
type Log = Block['receipts'][number]['logs'][number];

function blockOf(...logs: Pick<Log, 'address' | 'data' | 'topics'>[]): Block {
  return { receipts: [{ logs }] } as unknown as Block;
}

function record(orderId: number): string {
  const word = encodeRecord({
    orderId,
    machineId: 1,
    providerId: 1,
    priceMicroPerHour: 1,
    deviceMask: 0,
    milliGpu: 0,
    cpuMilli: 1_000,
    memoryMib: 0,
    storageGib: 0,
    tokenId: 1,
    fromBid: false,
    offerIndex: 0,
    bidIndex: 0,
  });
  return word.toString(16).padStart(64, '0');
}

describe('waitingIn', () => {
  it('finds what a batch matched, without what it skipped', () => {
    const topics = encodeEventTopics({
      abi: matchSettlementAbi,
      eventName: 'BatchSettled',
      args: { round: 3n, messageHash: HASH },
    });
    const data = encodeAbiParameters(parseAbiParameters('bytes, uint256[], uint256[]'), [
      `0x${[7, 8, 9].map(record).join('')}`,
      [0b010n],
      [],
    ]);
    const log = { address: matchSettlement, data, topics: topics as Hex[] };
    expect([...waitingIn(blockOf(log), { matchSettlement, computeLease })]).toEqual([7, 9]);
  });

  it('finds an order whose tenant announced a manifest, once, and nothing of other contracts', () => {
    const topics = encodeEventTopics({
      abi: computeLeaseAbi,
      eventName: 'ManifestAnnounced',
      args: { orderId: 5, tenant: matchSettlement },
    });
    const log = { address: computeLease, data: HASH, topics: topics as Hex[] };
    const elsewhere = { ...log, address: '0x00000000000000000000000000000000000000ff' as const };
    expect([...waitingIn(blockOf(log, log, elsewhere), { matchSettlement, computeLease })]).toEqual([5]);
  });
});
