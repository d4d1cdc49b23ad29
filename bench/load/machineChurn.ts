import { encodeFunctionData, type Hex } from 'viem';
import { providerRegistryAbi } from '../../chain/contracts/generated/ProviderRegistry.js';
import type { TransactionLane } from '../../chain/deploy/transactionLane.js';
import type { Receipt } from '../../chain/rpc/rpcCall.js';
import type { MarketPlan, OfferPlan } from '../../devnet/marketPlan.js';
import type { PopulatedMarket } from '../../devnet/populateMarket.js';
import type { SeededRandom } from '../../devnet/random.js';

/** What machines did so far. */
export interface ChurnFigures {
  readonly offersChanged: number;
  readonly switchedOff: number;
  readonly switchedOn: number;
  readonly reverted: number;
  readonly gasUsed: bigint;
}

/** Of every machine's transaction; a change of terms needs less. */
const GAS_LIMIT = 200_000n;
/** Rounds that a machine is off. */
const ROUNDS_OFF = 4;
const FIRST_OFFER = 0;

/** Changes machines as their providers would: prices move, machines go off and come back a few rounds later. */
export class MachineChurn {
  readonly #plan: MarketPlan;
  readonly #populated: PopulatedMarket;
  readonly #registry: Hex;
  readonly #random: SeededRandom;
  /** Machines that are off, with the round in which they come back. */
  readonly #off = new Map<number, number>();
  readonly #sending = new Set<Promise<void>>();
  #offersChanged = 0;
  #switchedOff = 0;
  #switchedOn = 0;
  #reverted = 0;
  #gasUsed = 0n;

  constructor(
    options: { readonly plan: MarketPlan; readonly registry: Hex },
    dependencies: { readonly populated: PopulatedMarket; readonly random: SeededRandom },
  ) {
    this.#plan = options.plan;
    this.#registry = options.registry;
    this.#populated = dependencies.populated;
    this.#random = dependencies.random;
  }

  get figures(): ChurnFigures {
    return {
      offersChanged: this.#offersChanged,
      switchedOff: this.#switchedOff,
      switchedOn: this.#switchedOn,
      reverted: this.#reverted,
      gasUsed: this.#gasUsed,
    };
  }

  /** Sends `count` changes in a round, those that are due to come back first. */
  touch(round: number, count: number): void {
    const due = [...this.#off].filter(([, backIn]) => backIn <= round).map(([machine]) => machine);
    for (const machine of due.slice(0, count)) this.#switchOn(machine);
    for (let left = count - due.length; left > 0; left--) {
      const machine = this.#random.below(this.#plan.machines.length);
      if (this.#off.has(machine)) continue;
      if (this.#random.chance(50)) this.#changeOffer(machine);
      else this.#switchOff(machine, round);
    }
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#sending);
  }

  #switchOff(machine: number, round: number): void {
    this.#off.set(machine, round + ROUNDS_OFF);
    this.#switchedOff++;
    this.#send(machine, this.#call('deactivateMachine', machine));
  }

  #switchOn(machine: number): void {
    this.#off.delete(machine);
    this.#switchedOn++;
    this.#send(machine, this.#call('activateMachine', machine));
  }

  #changeOffer(machine: number): void {
    const terms = this.#plan.machines[machine]!.offers[FIRST_OFFER]!;
    const percent = this.#random.between(90, 110);
    const changed: OfferPlan = {
      tokenId: terms.tokenId,
      gpuMicroPerHour: Math.floor((terms.gpuMicroPerHour * percent) / 100),
      coreMicroPerHour: Math.floor((terms.coreMicroPerHour * percent) / 100),
      memoryGibMicroPerHour: Math.floor((terms.memoryGibMicroPerHour * percent) / 100),
      storageTibMicroPerHour: Math.floor((terms.storageTibMicroPerHour * percent) / 100),
    };
    this.#offersChanged++;
    this.#send(
      machine,
      encodeFunctionData({
        abi: providerRegistryAbi,
        functionName: 'setOffer',
        args: [this.#populated.machineIds[machine]!, FIRST_OFFER, changed],
      }),
    );
  }

  #call(functionName: 'activateMachine' | 'deactivateMachine', machine: number): Hex {
    return encodeFunctionData({
      abi: providerRegistryAbi,
      functionName,
      args: [this.#populated.machineIds[machine]!],
    });
  }

  #send(machine: number, data: Hex): void {
    const lane: TransactionLane = this.#populated.providerLanes[this.#plan.machines[machine]!.provider]!;
    const sending = lane
      .run({ to: this.#registry, data, gasLimit: GAS_LIMIT, label: `change machine ${machine} of the plan` })
      .then(
        (receipt: Receipt) => {
          this.#gasUsed += receipt.gasUsed;
        },
        () => {
          this.#reverted++;
        },
      )
      .finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }
}
