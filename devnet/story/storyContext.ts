import { encodeFunctionData, type Address } from 'viem';
import { devnetTokenAbi } from '../../chain/contracts/generated/DevnetToken.js';
import { callAt, storageAt } from '../../chain/rpc/rpcCall.js';
import { MatchmakerError } from '../../engine/error.js';
import { openRoundAt, type Schedule } from '../../protocol/rounds.js';
import { OrderState, orderStateOf } from '../../protocol/words/orderWord.js';
import { ORDER_WORD, orderSlot } from '../../protocol/words/slots.js';
import { writeMarket } from '../../sdk/calls/callMarket.js';
import type { DevnetMarket, DevnetOperator } from '../deployDevnet.js';
import type { DevnetChain } from '../devnetChain.js';
import type { PopulatedMarket } from '../populateMarket.js';
import type { ExplainedRound } from '../auditRun.js';
import { Actor } from './actor.js';

/** What a scene claims is not what the chain says. */
export class SceneFailedError extends MatchmakerError<'SCENE_FAILED'> {
  constructor(scene: string, what: string, metadata: Record<string, unknown> = {}) {
    super('SCENE_FAILED', `scene "${scene}": ${what}`, { metadata: { scene, ...metadata } });
  }
}

/** What a scene leaves for the report. */
export interface SceneReport {
  readonly scene: string;
  /** One sentence with the figures that were checked. */
  readonly line: string;
  /** What the replay of the chain must bear out once it is there. */
  readonly proofs?: readonly SceneProof[];
}

/** What every closed round in which an order could be matched must have made of it. */
export interface SceneProof {
  readonly orderId: number;
  /** What the rounds show, for the report; null when they do not bear out what the scene says. */
  readonly shownBy: (rounds: readonly ExplainedRound[]) => string | null;
}

/** Operators that the story can do without for a while. */
export interface OperatorSwitch {
  /** Ends operators, the largest first, until no quorum is left; returns how many. */
  readonly stop: () => Promise<number>;
  /** Ends them all. */
  readonly stopAll: () => Promise<void>;
  /** Starts them again and resolves when they are ready. */
  readonly start: () => Promise<void>;
}

export interface StoryOptions {
  readonly chain: DevnetChain;
  readonly market: DevnetMarket;
  readonly schedule: Schedule;
  readonly operators: readonly DevnetOperator[];
  readonly operatorSwitch: OperatorSwitch;
  /** Who sends the settlements. */
  readonly settler: Address;
  /** Throws when a process that must run has ended. */
  readonly requireServices: () => void;
}

/** Blocks without what a scene waits for, after which it never comes; rounds may lapse on a loaded machine. */
const PATIENCE_BLOCKS = 1_200;

/** The running market as the scenes see it: who is in it, and what they wait for. */
export class StoryContext {
  readonly chain: DevnetChain;
  readonly market: DevnetMarket;
  readonly schedule: Schedule;
  readonly operators: readonly DevnetOperator[];
  readonly operatorSwitch: OperatorSwitch;
  readonly settler: Address;
  readonly governor: Actor;
  readonly verifier: Actor;
  readonly oracle: Actor;
  readonly auditors: readonly Actor[];
  readonly treasury: Actor;
  readonly foundation: Actor;
  /** Somebody with no part in anything: does what anyone may. */
  readonly stranger: Actor;
  readonly #actors = new Map<Address, Actor>();
  readonly #requireServices: () => void;

  constructor(options: StoryOptions) {
    const { market } = options;
    this.chain = options.chain;
    this.market = market;
    this.schedule = options.schedule;
    this.operators = options.operators;
    this.operatorSwitch = options.operatorSwitch;
    this.settler = options.settler;
    this.#requireServices = options.requireServices;
    this.governor = this.actor(market.governorLane.address);
    this.verifier = this.actor(market.verifierLane.address);
    this.oracle = this.actor(market.oracleLane.address);
    this.auditors = market.auditorLanes.map(({ address }) => this.actor(address));
    this.treasury = this.actor(market.treasuryLane.address);
    this.foundation = this.actor(market.foundationLane.address);
    this.stranger = this.newActor();
  }

  /** Everybody who has acted so far. */
  get actors(): readonly Actor[] {
    return [...this.#actors.values()];
  }

  /** The actor of an account that the devnet handed out. From the first time on nothing else may send with its key. */
  actor(address: Address): Actor {
    const key = address.toLowerCase() as Address;
    let found = this.#actors.get(key);
    if (found === undefined) {
      const { deployment } = this.market;
      found = new Actor({ deployment, rpcUrl: this.chain.url }, this.chain.keyOf(key));
      this.#actors.set(key, found);
    }
    return found;
  }

  /** An actor with an account of its own. */
  newActor(): Actor {
    return this.actor(this.chain.nextAccount().account.address);
  }

  /** Reads again in every block until there is something. Throws SceneFailedError when it never comes. */
  async until<Result>(scene: string, what: string, read: () => Promise<Result | null>): Promise<Result> {
    const { blocks } = this.chain;
    const last = blocks.head().number + PATIENCE_BLOCKS;
    for (;;) {
      const { number } = blocks.head();
      const found = await read();
      if (found !== null) return found;
      if (number >= last) throw new SceneFailedError(scene, `waited ${PATIENCE_BLOCKS} blocks for ${what}`);
      this.#requireServices();
      await blocks.reached(number + 1);
    }
  }

  /** Resolves with the first block seen whose time is `seconds` or later. */
  untilTime(scene: string, seconds: number): Promise<number> {
    return this.until(scene, `the time ${seconds}`, () => {
      const { timestamp, number } = this.chain.blocks.head();
      return Promise.resolve(timestamp >= seconds ? number : null);
    });
  }

  /** Resolves when the order is a lease, or no longer one, on the newest block. */
  untilLeased(scene: string, orderId: number, leased = true): Promise<true> {
    return this.until(scene, `order ${orderId} to ${leased ? 'become a lease' : 'be one no more'}`, async () =>
      ((await this.orderState(orderId)) === OrderState.MATCHED) === leased ? true : null,
    );
  }

  /** State of an order's word on the newest block. */
  async orderState(orderId: number): Promise<OrderState> {
    const { orderRequest } = this.market.deployment.contracts;
    return orderStateOf(
      await this.chain.rpc.request(storageAt(orderRequest, orderSlot(orderId, ORDER_WORD), 'latest')),
    );
  }

  /** The round that is open at the newest block seen. */
  openRound(): number {
    return openRoundAt(this.schedule, this.chain.blocks.head().number);
  }

  /** Makes new units of a devnet token for an actor. */
  async mint(actor: Actor, token: Address, amount: bigint): Promise<void> {
    await actor.act((client) =>
      writeMarket(client, {
        address: token,
        abi: devnetTokenAbi,
        functionName: 'mint',
        args: [actor.address, amount],
      }),
    );
  }

  /** What an account holds of a token outside the market, token units. */
  async walletOf(account: Address, token: Address): Promise<bigint> {
    const data = encodeFunctionData({ abi: devnetTokenAbi, functionName: 'balanceOf', args: [account] });
    return BigInt(await this.chain.rpc.request(callAt({ to: token, data }, 'latest')));
  }
}

/** Providers of the story by the name that the plan gives them. */
export class StoryProviders {
  readonly #context: StoryContext;
  readonly #byName: ReadonlyMap<string, { readonly providerId: number; readonly machineId: number; owner: Address }>;

  constructor(context: StoryContext, names: readonly string[], populated: PopulatedMarket) {
    this.#context = context;
    this.#byName = new Map(
      names.map((name, index) => [
        name,
        {
          providerId: populated.providerIds[index] as number,
          machineId: populated.machineIds[index] as number,
          owner: populated.providerLanes[index]?.address as Address,
        },
      ]),
    );
  }

  /** Throws RangeError for a name that the plan does not have. */
  named(name: string): StoryProvider {
    const found = this.#byName.get(name);
    if (found === undefined) throw new RangeError(`the story has no provider ${name}`);
    return { ...found, name, owner: this.#context.actor(found.owner) };
  }
}

/** A provider of the story with its one machine. */
export interface StoryProvider {
  readonly name: string;
  readonly providerId: number;
  readonly machineId: number;
  readonly owner: Actor;
}

/** Throws SceneFailedError unless both amounts are equal. */
export function requireEqual(
  scene: string,
  what: string,
  actual: bigint | number | string,
  expected: typeof actual,
): void {
  if (actual !== expected) {
    throw new SceneFailedError(scene, `${what} is ${actual}, it must be ${expected}`, {
      actual: String(actual),
      expected: String(expected),
    });
  }
}

/** Throws SceneFailedError unless `holds`. */
export function requireThat(scene: string, what: string, holds: boolean): void {
  if (!holds) throw new SceneFailedError(scene, `not so: ${what}`);
}
