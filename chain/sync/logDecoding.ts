import { decodeEventLog } from 'viem';
import type { Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import type { OrderSpec } from '../../protocol/orderSpec.js';
import { hexNumber } from '../../protocol/words/wordLimbs.js';
import type { WordLimbs } from '../../protocol/words/wordLimbs.js';
import { matchSettlementAbi } from '../contracts/generated/MatchSettlement.js';
import { orderRequestAbi } from '../contracts/generated/OrderRequest.js';
import type { RpcLog } from '../rpc/rpcCall.js';
import { AbiWords } from './abiWords.js';
import { readHexWord } from './hexDigits.js';

/**
 * The market's frequent events, read at fixed offsets. A log that is not laid out as the contracts lay it out (only a node that lies has
 * one) is left to viem, so that what is decoded and what is refused is what viem decodes and refuses.
 */

/** A log lacks what every log of its event has. */
export class LogMalformedError extends MatchmakerError<'LOG_MALFORMED'> {
  constructor(what: string) {
    super('LOG_MALFORMED', what);
  }
}

type EventLog = Pick<RpcLog, 'topics' | 'data'>;

/** What OrderCreated tells. */
export interface OrderCreated {
  readonly orderId: number;
  readonly eligibleFromBlock: number;
  readonly expiresAtSeconds: number;
  readonly spec: OrderSpec;
}

/** What BatchSettled tells. */
export interface BatchSettled {
  readonly round: number;
  readonly messageHash: Hex;
  readonly records: Hex;
  /** Bit i % 256 of word i / 256 is record i. */
  readonly skipped: readonly bigint[];
  readonly benched: readonly bigint[];
}

const PREFIX = 2;
const WORD_DIGITS = 64;
const TOPIC_LENGTH = PREFIX + WORD_DIGITS;
const ZERO_TOPIC = `0x${'0'.repeat(WORD_DIGITS)}`;

/** Reads a Fact's slot and value into limbs. Throws LogMalformedError for a log without one of them. */
export function decodeFact({ topics, data }: EventLog, slot: WordLimbs, value: WordLimbs): void {
  const slotHex = topics[1];
  if (slotHex?.length !== TOPIC_LENGTH || data.length !== PREFIX + WORD_DIGITS)
    throw new LogMalformedError('a fact without slot or value');
  readHexWord(slotHex, slot);
  readHexWord(data, value);
}

/** Decodes OrderCreated. Throws what viem's decodeEventLog throws. */
export function decodeOrderCreated(log: EventLog): OrderCreated {
  return orderCreatedAsLaidOut(log) ?? orderCreatedByViem(log);
}

/** Decodes BatchSettled. Throws what viem's decodeEventLog throws. */
export function decodeBatchSettled(log: EventLog): BatchSettled {
  return batchSettledAsLaidOut(log) ?? batchSettledByViem(log);
}

/** The round of RoundTaken. Throws what viem's decodeEventLog throws. */
export function decodeRoundTaken(log: EventLog): number {
  const { args } = decodeEventLog({
    abi: matchSettlementAbi,
    eventName: 'RoundTaken',
    topics: topicsOf(log),
    data: log.data,
  });
  return Number(args.round);
}

/** A log's topics as viem wants them. Throws LogMalformedError for a log without topics. */
export function topicsOf({ topics }: Pick<RpcLog, 'topics'>): [Hex, ...Hex[]] {
  const [selector, ...indexed] = topics;
  if (selector === undefined) throw new LogMalformedError('a log without topics');
  return [selector, ...indexed];
}

/** Words of OrderCreated's data before its spec, and of the spec before its lists. */
const SPEC = 3;
const SPEC_WORDS = 18;

function orderCreatedAsLaidOut({ topics, data }: EventLog): OrderCreated | undefined {
  const orderId = topicNumber(topics[1], 4);
  // The tenant is not read, but a log without it is viem's to refuse.
  if (orderId === undefined || topics[2]?.length !== TOPIC_LENGTH) return undefined;
  const words = new AbiWords(data, SPEC + SPEC_WORDS);
  words.offset(2, 0, SPEC);
  const order: OrderCreated = {
    orderId,
    eligibleFromBlock: words.number(0, 32),
    expiresAtSeconds: words.number(1, 32),
    spec: {
      milliGpu: words.number(SPEC, 16),
      cpuMilli: words.number(SPEC + 1, 24),
      memoryMib: words.number(SPEC + 2, 24),
      storageGib: words.number(SPEC + 3, 24),
      models: words.numbers(SPEC + 4, SPEC, 16),
      regions: words.numbers(SPEC + 5, SPEC, 16),
      regionsExcluded: words.numbers(SPEC + 6, SPEC, 16),
      providersWanted: words.numbers(SPEC + 7, SPEC, 24),
      providersExcluded: words.numbers(SPEC + 8, SPEC, 24),
      tiers: words.number(SPEC + 9, 8),
      attributes: words.wide(SPEC + 10),
      regionRequired: words.flag(SPEC + 11),
      minUptimeBps: words.number(SPEC + 12, 16),
      minReputationBps: words.number(SPEC + 13, 16),
      maxSlashes: words.number(SPEC + 14, 8),
      tokenId: words.number(SPEC + 15, 16),
      maxPriceMicroPerHour: words.number(SPEC + 16, 40),
      durationMinutes: words.number(SPEC + 17, 24),
    },
  };
  return words.isLaidOut() ? order : undefined;
}

function orderCreatedByViem(log: EventLog): OrderCreated {
  const { args } = decodeEventLog({
    abi: orderRequestAbi,
    eventName: 'OrderCreated',
    topics: topicsOf(log),
    data: log.data,
  });
  const { orderId, eligibleFromBlock, expiresAt, spec } = args;
  return { orderId, eligibleFromBlock, expiresAtSeconds: expiresAt, spec };
}

function batchSettledAsLaidOut({ topics, data }: EventLog): BatchSettled | undefined {
  const round = topicNumber(topics[1], 6);
  const messageHash = topics[2];
  if (round === undefined || messageHash?.length !== TOPIC_LENGTH) return undefined;
  const words = new AbiWords(data, 3);
  const batch: BatchSettled = {
    round,
    messageHash,
    records: `0x${words.bytes(0, 0)}`,
    skipped: words.words(1, 0),
    benched: words.words(2, 0),
  };
  return words.isLaidOut() ? batch : undefined;
}

function batchSettledByViem(log: EventLog): BatchSettled {
  const { args } = decodeEventLog({
    abi: matchSettlementAbi,
    eventName: 'BatchSettled',
    topics: topicsOf(log),
    data: log.data,
  });
  return { ...args, round: Number(args.round) };
}

/** The number in a topic's lowest `bytes` bytes (at most 6); undefined for a topic that is not there or holds more. */
function topicNumber(topic: Hex | undefined, bytes: number): number | undefined {
  const start = TOPIC_LENGTH - 2 * bytes;
  if (topic?.length !== TOPIC_LENGTH || !topic.startsWith(ZERO_TOPIC.slice(0, start))) return undefined;
  return hexNumber(topic, start, 2 * bytes);
}
