import { encodeAbiParameters, encodeEventTopics, numberToHex } from 'viem';
import type { Address, Hex } from 'viem';
import { matchSettlementAbi } from '../chain/contracts/generated/MatchSettlement.js';
import { orderRequestAbi } from '../chain/contracts/generated/OrderRequest.js';
import { providerRegistryAbi } from '../chain/contracts/generated/ProviderRegistry.js';
import type { Deployment } from '../chain/deployment.js';
import type { RpcLog } from '../chain/rpc/rpcCall.js';
import { OFFERS_PER_MACHINE } from '../engine/market.js';
import type { Market } from '../engine/market.js';
import type { Order } from '../engine/order.js';
import type { MatchRecord } from '../engine/record.js';
import { hashOrderSpec, orderSpecAbiParameters } from '../protocol/orderSpec.js';
import { encodeRecords } from '../protocol/records.js';
import {
  encodeMachineLimbs,
  encodeProviderLimbs,
  machineBuffer,
  offerBuffer,
  providerBuffer,
  readMachine,
  readOffer,
  readProvider,
} from '../protocol/words/marketWords.js';
import { encodeOfferWord } from '../protocol/words/offerWord.js';
import { encodeOpenOrderWord, OrderState } from '../protocol/words/orderWord.js';
import {
  MACHINE_OFFER_WORD,
  MACHINE_WORD,
  machineSlot,
  ORDER_SPEC_WORD,
  ORDER_WORD,
  orderSlot,
  PROVIDER_WORD,
  providerSlot,
} from '../protocol/words/slots.js';
import { hexOfLimbs, LIMBS } from '../protocol/words/wordLimbs.js';

const FROM_BLOCK = 1_000;
const LOGS_PER_BLOCK = 100;
const TENANT: Address = '0x00000000000000000000000000000000000000fe';

/** Addresses of a deployment that is nowhere, for logs that no chain wrote. */
export const BENCH_CONTRACTS = Object.fromEntries(
  ['providerRegistry', 'orderRequest', 'matchSettlement', 'matchPolicy'].map((name, index) => [
    name,
    numberToHex(0xc0 + index, { size: 20 }),
  ]),
) as Pick<
  Deployment['contracts'],
  'providerRegistry' | 'orderRequest' | 'matchSettlement' | 'matchPolicy'
> as Deployment['contracts'];

const [FACT] = encodeEventTopics({ abi: providerRegistryAbi, eventName: 'Fact' }) as [Hex];

/** Makes logs as a chain would have written them, numbered on. */
export class LogWriter {
  #written = 0;

  /** All facts that lead to a market's columns: each machine registered, then active with its offers. */
  *marketFacts(market: Market): Generator<RpcLog> {
    const { providerRegistry } = BENCH_CONTRACTS;
    const limbs = new Uint32Array(LIMBS);
    const provider = providerBuffer();
    const machine = machineBuffer();
    for (let id = 1; id <= market.providerCount; id++) {
      readProvider(market, id, provider);
      encodeProviderLimbs(provider, limbs);
      yield this.#fact(providerRegistry, providerSlot(id, PROVIDER_WORD), hexOfLimbs(limbs));
    }
    for (let id = 1; id <= market.machineCount; id++) {
      readMachine(market, id, machine);
      encodeMachineLimbs({ ...machine, activeFromRound: 0xffff_ffff, offersWritten: 0 }, limbs);
      yield this.#fact(providerRegistry, machineSlot(id, MACHINE_WORD), hexOfLimbs(limbs));
      for (let index = 0; index < OFFERS_PER_MACHINE; index++) {
        const offer = offerBuffer();
        readOffer(market, id, index, offer);
        if (offer.tokenId === 0) continue;
        yield this.#fact(
          providerRegistry,
          machineSlot(id, MACHINE_OFFER_WORD + index),
          encodeOfferWord(offer).toString(16).padStart(64, '0'),
        );
      }
      encodeMachineLimbs(machine, limbs);
      yield this.#fact(providerRegistry, machineSlot(id, MACHINE_WORD), hexOfLimbs(limbs));
    }
  }

  /** A machine's matching word of the columns as they are now. */
  machineFact(market: Market, machineId: number): RpcLog {
    const machine = machineBuffer();
    const limbs = new Uint32Array(LIMBS);
    readMachine(market, machineId, machine);
    encodeMachineLimbs(machine, limbs);
    return this.#fact(BENCH_CONTRACTS.providerRegistry, machineSlot(machineId, MACHINE_WORD), hexOfLimbs(limbs));
  }

  /** The logs of an order's creation. */
  *orderCreated(order: Order): Generator<RpcLog> {
    const { orderRequest } = BENCH_CONTRACTS;
    const { orderId, isOpen: _, untilRound, eligibleFromBlock, expiresAtSeconds, ...spec } = order;
    const word = encodeOpenOrderWord({
      ...spec,
      untilRound,
      eligibleFromBlock,
      expiresAtSeconds,
      bidCount: 0,
      state: OrderState.OPEN,
    });
    yield this.#fact(orderRequest, orderSlot(orderId, ORDER_WORD), word.toString(16).padStart(64, '0'));
    yield this.#fact(orderRequest, orderSlot(orderId, ORDER_SPEC_WORD), hashOrderSpec(spec).slice(2));
    yield this.#log(
      orderRequest,
      encodeEventTopics({ abi: orderRequestAbi, eventName: 'OrderCreated', args: { orderId, tenant: TENANT } }),
      encodeAbiParameters(
        [{ type: 'uint32' }, { type: 'uint32' }, orderSpecAbiParameters[0]],
        [eligibleFromBlock, expiresAtSeconds, spec],
      ),
    );
  }

  /** A settled batch of which nothing was skipped. */
  batchSettled(round: number, records: readonly MatchRecord[]): RpcLog {
    const bitmaps = Array.from({ length: Math.ceil(records.length / 256) }, () => 0n);
    return this.#log(
      BENCH_CONTRACTS.matchSettlement,
      encodeEventTopics({
        abi: matchSettlementAbi,
        eventName: 'BatchSettled',
        args: { round: BigInt(round), messageHash: numberToHex(round, { size: 32 }) },
      }),
      encodeAbiParameters(
        [{ type: 'bytes' }, { type: 'uint256[]' }, { type: 'uint256[]' }],
        [encodeRecords(records), bitmaps, bitmaps],
      ),
    );
  }

  #fact(address: Address, slot: bigint, valueDigits: string): RpcLog {
    return this.#log(address, [FACT, numberToHex(slot, { size: 32 })], `0x${valueDigits}`);
  }

  #log(address: Address, topics: readonly (Hex | readonly Hex[] | null)[], data: Hex): RpcLog {
    const blockNumber = FROM_BLOCK + Math.floor(this.#written / LOGS_PER_BLOCK);
    const logIndex = this.#written % LOGS_PER_BLOCK;
    this.#written += 1;
    const hash = numberToHex(blockNumber, { size: 32 });
    return { address, topics: topics as Hex[], data, blockNumber, blockHash: hash, transactionHash: hash, logIndex };
  }
}
