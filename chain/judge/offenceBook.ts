import { decodeEventLog, getAbiItem, size, slice, toEventSelector } from 'viem';
import type { Address, Hex } from 'viem';
import { faultNameOf } from '../../protocol/evidence/evidenceAbi.js';
import type { FaultName } from '../../protocol/evidence/evidenceAbi.js';
import { iMatchmakerSlasherAbi } from '../contracts/generated/IMatchmakerSlasher.js';
import { iSlashVaultAbi } from '../contracts/generated/ISlashVault.js';
import { encoded } from '../rewards/rewardHistory.js';
import type { Deployment } from '../deployment.js';
import type { Rpc } from '../rpc/rpc.js';
import { latestBlock } from '../rpc/rpcCall.js';
import type { RpcLog } from '../rpc/rpcCall.js';
import { forLogs } from '../sync/historySync.js';

/** A slash of one operator for an offence. */
export interface OffenceSlash {
  readonly operator: Address;
  readonly signerIndex: number;
  readonly slashId: bigint;
  /** Strategy shares. */
  readonly shares: bigint;
}

/** An offence as the slasher and its vault tell it. Amounts in base units of the staked token. */
export interface Offence {
  readonly offenceId: Hex;
  readonly fault: FaultName;
  readonly challenger: Address;
  readonly round: number;
  /** The batch, or of two the lower one. */
  readonly messageHash: Hex;
  readonly orderId: number;
  /** Keys of the accused, in table order, packed as the slasher takes them. */
  readonly signers: Hex;
  readonly signerKeys: readonly Hex[];
  readonly blockNumber: number;
  readonly slashes: readonly OffenceSlash[];
  readonly collected: bigint;
  readonly paidToChallenger: bigint;
  readonly victim: { readonly tenant: Address; readonly loss: bigint } | null;
  readonly paidToVictim: bigint;
  readonly paidToTreasury: bigint;
}

export interface OffenceBookOptions {
  readonly slasher: Address;
  readonly vault: Address;
  readonly curve: Deployment['quorum']['curve'];
  /** First block of the stake chain that can hold an offence. */
  readonly fromBlock: number;
}

const SLASHER_TOPICS = (['OffenceProven', 'SignerSlashed'] as const).map((name) =>
  toEventSelector(getAbiItem({ abi: iMatchmakerSlasherAbi, name })),
);
const VAULT_TOPICS = (['SlashCollected', 'ChallengerPaid', 'VictimProven', 'VictimPaid', 'TreasuryPaid'] as const).map(
  (name) => toEventSelector(getAbiItem({ abi: iSlashVaultAbi, name })),
);
/** Blocks at the head that are read again each time, since they may still change. */
const UNSETTLED_BLOCKS = 64;
const KEY_BYTES = { ecdsa: 20, bn254: 64 } as const;

/** All offences of one slasher, from the logs of slasher and vault; each `refresh` reads what came since. */
export class OffenceBook {
  readonly #options: OffenceBookOptions;
  readonly #rpc: Rpc;
  #logs: RpcLog[] = [];
  #nextBlock: number;
  #offences: ReadonlyMap<Hex, Offence> = new Map();

  constructor(options: OffenceBookOptions, dependencies: { rpc: Rpc }) {
    this.#options = options;
    this.#rpc = dependencies.rpc;
    this.#nextBlock = options.fromBlock;
  }

  /** Reads up to the newest block. Throws what the RPC throws; then the book stays as it was. */
  async refresh(): Promise<void> {
    const { slasher, vault, fromBlock } = this.#options;
    const { number: head } = await this.#rpc.request(latestBlock());
    const from = Math.max(fromBlock, Math.min(this.#nextBlock, head + 1) - UNSETTLED_BLOCKS);
    const read: RpcLog[] = [];
    const filter = { addresses: [slasher, vault], topics: [...SLASHER_TOPICS, ...VAULT_TOPICS] };
    await forLogs(this.#rpc, filter, { from, to: head }, (logs) => read.push(...logs));
    this.#logs = [...this.#logs.filter(({ blockNumber }) => blockNumber < from), ...read];
    this.#nextBlock = head + 1;
    this.#offences = this.#build();
  }

  /** Every offence, the oldest first. */
  all(): Offence[] {
    return [...this.#offences.values()];
  }

  /** Offences of a batch, or of the pair of batches of which it is the lower. */
  of(messageHash: Hex): Offence[] {
    return this.all().filter((offence) => offence.messageHash === messageHash);
  }

  #build(): ReadonlyMap<Hex, Offence> {
    const offences = new Map<Hex, Offence>();
    const change = (offenceId: Hex, changed: (offence: Offence) => Partial<Offence>) => {
      const offence = offences.get(offenceId);
      if (offence !== undefined) offences.set(offenceId, { ...offence, ...changed(offence) });
    };
    for (const log of this.#logs) {
      if (log.address === this.#options.slasher) this.#takeSlasherLog(log, offences, change);
      else takeVaultLog(log, change);
    }
    return offences;
  }

  #takeSlasherLog(log: RpcLog, offences: Map<Hex, Offence>, change: Change): void {
    const event = decodeEventLog({ abi: iMatchmakerSlasherAbi, ...encoded(log) });
    if (event.eventName === 'OffenceProven') {
      const { offenceId, fault, challenger, round, messageHash, orderId, signers } = event.args;
      const bytes = KEY_BYTES[this.#options.curve];
      offences.set(offenceId, {
        offenceId,
        fault: faultNameOf(fault),
        challenger,
        round: Number(round),
        messageHash,
        orderId,
        signers,
        signerKeys: Array.from({ length: size(signers) / bytes }, (_, at) =>
          slice(signers, at * bytes, (at + 1) * bytes),
        ),
        blockNumber: log.blockNumber,
        slashes: [],
        collected: 0n,
        paidToChallenger: 0n,
        victim: null,
        paidToVictim: 0n,
        paidToTreasury: 0n,
      });
    } else if (event.eventName === 'SignerSlashed') {
      const { offenceId, operator, signerIndex, slashId, shares } = event.args;
      const slash = { operator, signerIndex: Number(signerIndex), slashId, shares };
      change(offenceId, ({ slashes }) => ({ slashes: [...slashes, slash] }));
    }
  }
}

type Change = (offenceId: Hex, changed: (offence: Offence) => Partial<Offence>) => void;

function takeVaultLog(log: RpcLog, change: Change): void {
  const event = decodeEventLog({ abi: iSlashVaultAbi, ...encoded(log) });
  switch (event.eventName) {
    case 'SlashCollected': {
      const { offenceId, amount } = event.args;
      change(offenceId, ({ collected }) => ({ collected: collected + amount }));
      break;
    }
    case 'ChallengerPaid': {
      const { offenceId, amount } = event.args;
      change(offenceId, ({ paidToChallenger }) => ({ paidToChallenger: paidToChallenger + amount }));
      break;
    }
    case 'VictimProven': {
      const { offenceId, tenant, loss } = event.args;
      change(offenceId, () => ({ victim: { tenant, loss } }));
      break;
    }
    case 'VictimPaid': {
      const { offenceId, amount } = event.args;
      change(offenceId, ({ paidToVictim }) => ({ paidToVictim: paidToVictim + amount }));
      break;
    }
    case 'TreasuryPaid': {
      const { offenceId, amount } = event.args;
      change(offenceId, ({ paidToTreasury }) => ({ paidToTreasury: paidToTreasury + amount }));
      break;
    }
    default:
  }
}
