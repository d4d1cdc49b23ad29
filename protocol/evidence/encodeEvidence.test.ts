import { describe, expect, test } from '@jest/globals';
import { decodeAbiParameters, encodeAbiParameters } from 'viem';
import type { Hex } from 'viem';
import { iEvidenceFormsAbi } from '../../chain/contracts/generated/IEvidenceForms.js';
import type { BatchFinding, MachineInFault, WrongRecordFinding } from '../../engine/auditBatch.js';
import { plainOrder, PLAIN_POLICY } from '../../engine/reference/plainRound.js';
import type { MatchBatch } from '../matchBatch.js';
import {
  bidSlot,
  machineSlot,
  ORDER_OWNER_WORD,
  ORDER_SPEC_WORD,
  ORDER_WORD,
  ORDERS_COUNTER_SLOT,
  orderSlot,
  providerSlot,
  REGISTRY_COUNTERS_SLOT,
} from '../words/slots.js';
import { encodeEquivocation, encodeEvidence } from './encodeEvidence.js';
import type { BatchEvidence, SignedBatch } from './encodeEvidence.js';
import { evidenceAbiParameters, faultNameOf } from './evidenceAbi.js';
import type { FaultName } from './evidenceAbi.js';
import { byCost, evidenceWordsOf, victimWordOf } from './evidenceWords.js';

const MACHINE: MachineInFault = { machineId: 7, providerId: 3, offerIndex: 2, bidIndex: null };
const BIDDER: MachineInFault = { machineId: 8, providerId: 4, offerIndex: null, bidIndex: 5 };
const WINNER: MachineInFault = { ...MACHINE, offerIndex: null };

const wrongRecord: WrongRecordFinding = {
  fault: 'wrongRecord',
  index: 1,
  orderId: 9,
  reason: 0,
  differing: ['priceMicroPerHour'],
  machine: { ...MACHINE, bidIndex: 5 },
  orderIsOpen: true,
};
const notEligible: WrongRecordFinding = { ...wrongRecord, reason: 1, differing: [], machine: null };
const closed: WrongRecordFinding = { ...notEligible, orderIsOpen: false };
const betterCandidate: BatchFinding = {
  fault: 'betterCandidate',
  index: 1,
  orderId: 9,
  winner: WINNER,
  winnerTotal: 1,
  candidate: BIDDER,
  candidateTotal: 2,
};
const omittedOrder: BatchFinding = { fault: 'omittedOrder', orderId: 9, candidate: BIDDER };
const unknown = (name: 'order' | 'machine' | 'offer' | 'bid', orderIsOpen = name !== 'order'): BatchFinding => ({
  fault: 'unknownName',
  index: 1,
  orderId: 9,
  machineId: 7,
  orderIsOpen,
  name,
});

const registry = (slot: bigint) => ({ account: 'registry', slot });
const orders = (slot: bigint) => ({ account: 'orders', slot });
const ORDER = orders(orderSlot(9, ORDER_WORD));
const SPEC = orders(orderSlot(9, ORDER_SPEC_WORD));

const BATCH: MatchBatch = {
  round: 5,
  snapshotBlock: 40,
  snapshotHash: `0x${'11'.repeat(32)}`,
  policyHash: `0x${'22'.repeat(32)}`,
  operatorSetKey: `0x${'33'.repeat(32)}`,
  tableTimestamp: 1_700_000_000,
  tableHash: `0x${'44'.repeat(32)}`,
  recordsHash: `0x${'55'.repeat(32)}`,
  matchCount: 2,
};
const SIGNED: SignedBatch = { batch: BATCH, table: '0x0102', certificate: '0x0304' };

/** Evidence in which every slot's only node is the slot itself. */
function evidence(findings: readonly BatchFinding[]): BatchEvidence {
  const {
    orderId: _id,
    isOpen: _open,
    untilRound: _until,
    eligibleFromBlock: _from,
    expiresAtSeconds: _at,
    ...spec
  } = plainOrder();
  return {
    signed: SIGNED,
    policy: PLAIN_POLICY,
    records: `0x${'66'.repeat(64)}`,
    words: {
      header: '0x77',
      registryAccount: ['0x88'],
      ordersAccount: ['0x99'],
      nodes: new Map(findings.flatMap(evidenceWordsOf).map(({ slot }) => [slot, [node(slot)]])),
    },
    spec,
  };
}

function node(slot: bigint): Hex {
  return `0x${slot.toString(16).padStart(64, '0')}`;
}

const decoded = {
  equivocation: (bytes: Hex) => decodeAbiParameters(evidenceAbiParameters.equivocation, bytes)[0],
  wrongRecord: (bytes: Hex) => decodeAbiParameters(evidenceAbiParameters.wrongRecord, bytes)[0],
  betterCandidate: (bytes: Hex) => decodeAbiParameters(evidenceAbiParameters.betterCandidate, bytes)[0],
  unknownName: (bytes: Hex) => decodeAbiParameters(evidenceAbiParameters.unknownName, bytes)[0],
  omittedOrder: (bytes: Hex) => decodeAbiParameters(evidenceAbiParameters.omittedOrder, bytes)[0],
};

describe('the forms of evidence', () => {
  test.each(Object.keys(evidenceAbiParameters) as FaultName[])('of %s are those of the judge', (name) => {
    const inputs: readonly object[] = iEvidenceFormsAbi.find((item) => item.name === name)?.inputs ?? [];
    const shape = (parameter: object): unknown => {
      const { name: field, type, components } = parameter as { name?: string; type: string; components?: object[] };
      return { field, type, components: components?.map(shape) };
    };
    const [evidence] = evidenceAbiParameters[name];
    expect([shape({ ...evidence, name: 'evidence' })]).toEqual(inputs.map(shape));
  });

  test('have their faults numbered as the judge does', () => {
    const names = [0, 1, 2, 3, 4].map(faultNameOf);
    expect(names).toEqual(['equivocation', 'wrongRecord', 'betterCandidate', 'unknownName', 'omittedOrder']);
    expect(() => faultNameOf(5)).toThrow(RangeError);
  });
});

describe('evidenceWordsOf', () => {
  test('names order, spec, machine, provider and both sources of a wrong record', () => {
    expect(evidenceWordsOf(wrongRecord)).toEqual([
      ORDER,
      SPEC,
      registry(machineSlot(7, 0)),
      registry(providerSlot(3, 0)),
      registry(machineSlot(7, 4)),
      orders(bidSlot(9, 5)),
    ]);
  });

  test('names the order alone when it was not eligible', () => {
    expect(evidenceWordsOf(notEligible)).toEqual([ORDER]);
  });

  test('names seven words of a better candidate, and a shared provider once', () => {
    expect(evidenceWordsOf(betterCandidate)).toHaveLength(7);
    const shared: BatchFinding = { ...betterCandidate, candidate: { ...BIDDER, providerId: WINNER.providerId } };
    expect(evidenceWordsOf(shared)).toHaveLength(6);
  });

  test('names five words of an omitted order', () => {
    expect(evidenceWordsOf(omittedOrder)).toEqual([
      ORDER,
      SPEC,
      registry(machineSlot(8, 0)),
      registry(providerSlot(4, 0)),
      orders(bidSlot(9, 5)),
    ]);
  });

  test('names the word that shows that a name never existed, and the order to be made whole', () => {
    expect(evidenceWordsOf(unknown('order'))).toEqual([orders(ORDERS_COUNTER_SLOT)]);
    expect(evidenceWordsOf(unknown('machine'))).toEqual([registry(REGISTRY_COUNTERS_SLOT), ORDER]);
    expect(evidenceWordsOf(unknown('machine', false))).toEqual([registry(REGISTRY_COUNTERS_SLOT)]);
    expect(evidenceWordsOf({ ...unknown('machine'), machineId: 0 } as BatchFinding)).toEqual([ORDER]);
    expect(evidenceWordsOf(unknown('offer'))).toEqual([registry(machineSlot(7, 0)), ORDER]);
    expect(evidenceWordsOf(unknown('bid'))).toEqual([ORDER]);
  });

  test('names the owner word of every order that was open', () => {
    expect(victimWordOf(omittedOrder)).toEqual(orders(orderSlot(9, ORDER_OWNER_WORD)));
    expect(victimWordOf(notEligible)).toEqual(orders(orderSlot(9, ORDER_OWNER_WORD)));
    expect(victimWordOf(closed)).toBeUndefined();
    expect(victimWordOf(unknown('machine', false))).toBeUndefined();
  });

  test('puts findings with a victim first, then those with the fewest words', () => {
    const findings = [closed, betterCandidate, wrongRecord, omittedOrder, notEligible];
    expect(byCost(findings)).toEqual([notEligible, omittedOrder, wrongRecord, betterCandidate, closed]);
  });
});

describe('encodeEvidence', () => {
  test('shows a wrong record with the words of its order, machine and sources', () => {
    const bytes = encodeEvidence(wrongRecord, evidence([wrongRecord]));
    const { batch, index, order, machine } = decoded.wrongRecord(bytes);
    expect(index).toBe(1n);
    expect(batch.signed).toEqual({
      ...SIGNED,
      batch: { ...BATCH, round: 5n, snapshotBlock: 40n },
    });
    expect(batch.snapshot).toEqual({ header: '0x77', registryAccount: ['0x88'], ordersAccount: ['0x99'] });
    expect(order.orderWord).toEqual([node(ORDER.slot)]);
    expect(order.specHash).toEqual([node(SPEC.slot)]);
    expect(order.spec.maxPriceMicroPerHour).toBe(plainOrder().maxPriceMicroPerHour);
    expect(machine).toEqual({
      machineId: 7,
      machineWord: [node(machineSlot(7, 0))],
      providerWord: [node(providerSlot(3, 0))],
      offerIndex: 2,
      offerWord: [node(machineSlot(7, 4))],
      bidIndex: 5,
      bidWord: [node(bidSlot(9, 5))],
    });
  });

  test('shows an order that was not eligible without spec, machine and registry', () => {
    const { batch, order, machine } = decoded.wrongRecord(encodeEvidence(notEligible, evidence([notEligible])));
    expect(batch.snapshot.registryAccount).toEqual([]);
    expect(order).toMatchObject({ orderWord: [node(ORDER.slot)], specHash: [], spec: { cpuMilli: 0 } });
    expect(machine).toMatchObject({ machineId: 0, machineWord: [], providerWord: [], offerWord: [], bidWord: [] });
  });

  test('shows winner and candidate, the winner without a price', () => {
    const bytes = encodeEvidence(betterCandidate, evidence([betterCandidate]));
    const { winner, candidate } = decoded.betterCandidate(bytes);
    expect(winner).toMatchObject({
      machineId: 7,
      offerWord: [],
      bidWord: [],
      providerWord: [node(providerSlot(3, 0))],
    });
    expect(candidate).toMatchObject({ machineId: 8, offerWord: [], bidIndex: 5, bidWord: [node(bidSlot(9, 5))] });
  });

  test('shows an omitted order', () => {
    const { orderId, candidate } = decoded.omittedOrder(encodeEvidence(omittedOrder, evidence([omittedOrder])));
    expect(orderId).toBe(9);
    expect(candidate.machineWord).toEqual([node(machineSlot(8, 0))]);
  });

  test('shows what never existed', () => {
    const show = (finding: BatchFinding) => decoded.unknownName(encodeEvidence(finding, evidence([finding])));
    expect(show(unknown('order'))).toMatchObject({ name: 0, word: [node(ORDERS_COUNTER_SLOT)], orderWord: [] });
    expect(show(unknown('machine'))).toMatchObject({
      name: 1,
      word: [node(REGISTRY_COUNTERS_SLOT)],
      orderWord: [node(ORDER.slot)],
    });
    expect(show({ ...unknown('machine'), machineId: 0 } as BatchFinding)).toMatchObject({ name: 1, word: [] });
    expect(show(unknown('offer'))).toMatchObject({ name: 2, word: [node(machineSlot(7, 0))] });
    expect(show(unknown('bid'))).toMatchObject({ name: 3, word: [node(ORDER.slot)], orderWord: [] });
  });

  test('shows two batches that one key signed', () => {
    const other = { ...SIGNED, batch: { ...BATCH, matchCount: 3 } };
    const { first, second } = decoded.equivocation(encodeEquivocation(SIGNED, other));
    expect([first.batch.matchCount, second.batch.matchCount]).toEqual([2, 3]);
    expect(first.certificate).toBe(SIGNED.certificate);
  });

  test('refuses to leave out a word or the spec', () => {
    const whole = evidence([wrongRecord]);
    expect(() => encodeEvidence(wrongRecord, { ...whole, spec: undefined })).toThrow(/lacks the spec of order 9/);
    const words = { ...whole.words, nodes: new Map([...whole.words.nodes].slice(1)) };
    expect(() => encodeEvidence(wrongRecord, { ...whole, words })).toThrow(/lacks order 9/);
  });

  test('encodes as abi.encode of the struct: one dynamic tuple behind its offset', () => {
    const bytes = encodeEvidence(omittedOrder, evidence([omittedOrder]));
    const again = encodeAbiParameters(evidenceAbiParameters.omittedOrder, [decoded.omittedOrder(bytes)]);
    expect(bytes).toBe(again);
    expect(BigInt(bytes.slice(0, 66))).toBe(32n);
  });
});
