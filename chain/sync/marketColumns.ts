import { Market, OFFERS_PER_MACHINE } from '../../engine/market.js';
import type { MachineFields } from '../../engine/market.js';
import { MatchmakerError } from '../../engine/error.js';
import {
  decodeMachineLimbs,
  decodeOfferLimbs,
  decodeProviderLimbs,
  encodeMachineLimbs,
  encodeOfferLimbs,
  encodeProviderLimbs,
  machineBuffer,
  offerBuffer,
  providerBuffer,
  readMachine,
  readOffer,
  readProvider,
} from '../../protocol/words/marketWords.js';
import { LIMBS, wordOfLimbs } from '../../protocol/words/wordLimbs.js';
import type { WordLimbs } from '../../protocol/words/wordLimbs.js';
import type { WordBefore, WordJournal } from './wordJournal.js';

/** A log contradicts the logs before it: one of them was lost or forged. */
export class LogContradictionError extends MatchmakerError<'LOG_CONTRADICTION'> {
  constructor(what: string) {
    super('LOG_CONTRADICTION', what);
  }
}

/**
 * The engine's columns, written from words and read back as words: the columns hold every bit of a machine's and a provider's word, and of
 * an offer's all but the round it counts from, which is kept beside them.
 */
export class MarketColumns {
  readonly market = new Market();
  /** Where words that are written over are noted; null while they can not be taken back. */
  journal: WordJournal | null = null;
  #offerFromRound = new Uint32Array(0);
  readonly #limbs: WordLimbs = new Uint32Array(LIMBS);
  readonly #machine = machineBuffer();
  /** Of a machine whose word is read. */
  readonly #before = machineBuffer();
  readonly #offer = offerBuffer();
  readonly #provider = providerBuffer();

  /** Writes a machine's matching word. Throws LogContradictionError for an id out of turn, WordMalformedError. */
  putMachine(machineId: number, word: WordLimbs): void {
    const count = this.market.machineCount;
    // Ids are given out one by one; a hole means a lost log, and a huge id from a lying node must not size our columns.
    if (machineId < 1 || machineId > count + 1)
      throw new LogContradictionError(`machine ${machineId} follows machine ${count}`);
    decodeMachineLimbs(word, this.#machine);
    this.#noteMachine(machineId);
    this.market.setMachine(machineId, this.#machine);
  }

  /** Changes a machine that is there. Throws LogContradictionError when it is not, and what `change` throws. */
  changeMachine(machineId: number, change: (machine: MachineFields) => MachineFields): void {
    this.#requireMachine(machineId);
    readMachine(this.market, machineId, this.#machine);
    const changed = change(this.#machine);
    this.#noteMachine(machineId);
    this.market.setMachine(machineId, changed);
  }

  /** Writes an offer's word. Throws LogContradictionError for a machine that was never told of, WordMalformedError. */
  putOffer(machineId: number, index: number, word: WordLimbs): void {
    this.#requireMachine(machineId);
    // Refused before anything is noted.
    decodeOfferLimbs(word, this.#offer);
    if (this.journal !== null) {
      this.readOfferWord(machineId, index, this.#limbs);
      const { machineCount: count } = this.market;
      this.journal.note({ kind: 'offer', id: machineId, index, count }, this.#limbs);
    }
    this.#writeOffer(machineId, index, word);
  }

  /** Writes a provider's score word. Throws LogContradictionError for an id out of turn. */
  putProvider(providerId: number, word: WordLimbs): void {
    const count = this.market.providerCount;
    if (providerId < 1 || providerId > count + 1)
      throw new LogContradictionError(`provider ${providerId} follows provider ${count}`);
    if (this.journal !== null) {
      this.readProviderWord(providerId, this.#limbs);
      this.journal.note({ kind: 'provider', id: providerId, index: 0, count }, this.#limbs);
    }
    this.#writeProvider(providerId, word);
  }

  /** Takes back what a journal noted. */
  takeBack(journal: WordJournal): void {
    journal.takeBack((what, before) => this.#restore(what, before));
  }

  /** A machine's matching word, 0 when it has none. */
  machineWord(machineId: number): bigint {
    this.readMachineWord(machineId, this.#limbs);
    return wordOfLimbs(this.#limbs);
  }

  /** A machine's newest offer word, 0 when it has none. */
  offerWord(machineId: number, offerIndex: number): bigint {
    this.readOfferWord(machineId, offerIndex, this.#limbs);
    return wordOfLimbs(this.#limbs);
  }

  /** A provider's score word, 0 when it has none. */
  providerWord(providerId: number): bigint {
    this.readProviderWord(providerId, this.#limbs);
    return wordOfLimbs(this.#limbs);
  }

  /** The same as limbs. */
  readMachineWord(machineId: number, word: WordLimbs): void {
    word.fill(0);
    if (!this.#hasMachine(machineId)) return;
    readMachine(this.market, machineId, this.#before);
    encodeMachineLimbs(this.#before, word);
  }

  /** The same as limbs. */
  readOfferWord(machineId: number, index: number, word: WordLimbs): void {
    word.fill(0);
    if (!this.#hasMachine(machineId)) return;
    readOffer(this.market, machineId, index, this.#offer);
    this.#offer.fromRound = this.#offerFromRound[machineId * OFFERS_PER_MACHINE + index] ?? 0;
    encodeOfferLimbs(this.#offer, word);
  }

  /** The same as limbs. */
  readProviderWord(providerId: number, word: WordLimbs): void {
    word.fill(0);
    if (providerId < 1 || providerId > this.market.providerCount) return;
    readProvider(this.market, providerId, this.#provider);
    encodeProviderLimbs(this.#provider, word);
  }

  #restore({ kind, id, index, count }: WordBefore, before: WordLimbs): void {
    switch (kind) {
      case 'machine':
        decodeMachineLimbs(before, this.#machine);
        this.market.setMachine(id, this.#machine);
        this.market.machineCount = count;
        break;
      case 'offer':
        this.#writeOffer(id, index, before);
        break;
      case 'provider':
        this.#writeProvider(id, before);
        this.market.providerCount = count;
        break;
    }
  }

  #writeOffer(machineId: number, index: number, word: WordLimbs): void {
    decodeOfferLimbs(word, this.#offer);
    this.market.setOffer(machineId, index, this.#offer);
    const rows = this.market.offerTokenId.length;
    if (this.#offerFromRound.length < rows) {
      const bigger = new Uint32Array(rows);
      bigger.set(this.#offerFromRound);
      this.#offerFromRound = bigger;
    }
    this.#offerFromRound[machineId * OFFERS_PER_MACHINE + index] = this.#offer.fromRound;
  }

  #writeProvider(providerId: number, word: WordLimbs): void {
    decodeProviderLimbs(word, this.#provider);
    this.market.setProvider(providerId, this.#provider);
  }

  #noteMachine(machineId: number): void {
    if (this.journal === null) return;
    this.readMachineWord(machineId, this.#limbs);
    const { machineCount: count } = this.market;
    this.journal.note({ kind: 'machine', id: machineId, index: 0, count }, this.#limbs);
  }

  #hasMachine(machineId: number): boolean {
    return machineId >= 1 && machineId <= this.market.machineCount;
  }

  #requireMachine(machineId: number): void {
    if (!this.#hasMachine(machineId)) throw new LogContradictionError(`machine ${machineId} was never told of`);
  }
}
