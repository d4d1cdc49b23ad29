import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';

import { getAddress, isAddressEqual, type Hex } from 'viem';

import { MatchmakerError } from '../engine/error.js';
import { Mutex } from '../service/mutex.js';
import { errnoCode, messageOf } from '../service/thrown.js';
import { lockDirectory } from './directoryLock.js';
import {
  decodeGuardRecord,
  encodeGuardRecord,
  GUARD_RECORD_BYTES,
  type GuardRecord,
  type GuardScope,
} from './guardRecord.js';

/** A signature that could contradict an earlier one of the same round; it is never made. */
export class DoubleSignRefusedError extends MatchmakerError<'DOUBLE_SIGN_REFUSED'> {
  constructor(round: number, detail: string, metadata: Record<string, unknown>) {
    super('DOUBLE_SIGN_REFUSED', `round ${round}: ${detail}`, { metadata: { round, ...metadata } });
  }
}

/** The guard's file cannot be trusted or written; nothing may be signed. */
export class GuardBrokenError extends MatchmakerError<'GUARD_BROKEN'> {}

/** File operations the guard rests on, so that their failure can be tried. */
export interface GuardFiles {
  write(descriptor: number, bytes: Buffer): void;
  sync(descriptor: number): void;
}

/** What a guard knows, in the form that is exported and imported. */
export interface GuardExport {
  readonly metadata: { readonly formatVersion: '1' } & GuardScope;
  /** Nothing up to this round may be signed. */
  readonly watermark: number;
  readonly records: readonly {
    readonly round: number;
    readonly messageHash: Hex;
    readonly referenceTimestamp: number;
  }[];
}

/** Newest rounds whose digest is kept; older ones are below the watermark and refused outright. */
const KEPT_ROUNDS = 16_384;

const nodeFiles: GuardFiles = {
  write(descriptor, bytes) {
    for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
  },
  sync: fdatasyncSync,
};

/**
 * The write-ahead record that keeps a key from ever signing two different batches of one round: a decision is on the disk
 * (fdatasync returned) before a signature can exist. One process at a time holds the folder.
 */
export class SignGuard {
  readonly #scope: GuardScope;
  readonly #file: string;
  readonly #files: GuardFiles;
  readonly #onSync: (seconds: number) => void;
  readonly #release: () => void;
  readonly #mutex = new Mutex();
  readonly #records = new Map<number, GuardRecord>();
  #watermark = 0;
  #recordsInFile = 0;
  #descriptor: number;
  #broken: GuardBrokenError | undefined;

  /**
   * Opens (or creates) the guard of one key below `dataDir`. A record cut off by a crash at the very end is removed; any
   * other damage throws GuardBrokenError. Throws DirectoryLockedError when another process holds it.
   */
  constructor(
    options: { dataDir: string; scope: GuardScope },
    dependencies: { files?: GuardFiles; onSync?: (seconds: number) => void } = {},
  ) {
    this.#scope = {
      chainId: options.scope.chainId,
      settlement: getAddress(options.scope.settlement),
      keyAddress: getAddress(options.scope.keyAddress),
    };
    this.#files = dependencies.files ?? nodeFiles;
    this.#onSync = dependencies.onSync ?? (() => undefined);
    const folder = guardFolder(options.dataDir, this.#scope);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#release = lockDirectory(folder);
    this.#file = path.join(folder, 'guard.wal');
    try {
      this.#descriptor = openSync(this.#file, 'a', 0o600);
      this.#load();
      syncFolder(folder);
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  /** Whether decisions can still be recorded; false for good after a failed write or sync. */
  get isWritable(): boolean {
    return this.#broken === undefined;
  }

  /** The digest recorded for a round, if there is one. */
  recorded(round: number): GuardRecord | undefined {
    return this.#records.get(round);
  }

  /**
   * Makes the decision to sign `messageHash` under `referenceTimestamp` for `round` durable. Resolves to `repeated` when
   * exactly this was decided before. Throws DoubleSignRefusedError when anything else was, or the round is below the
   * watermark, and GuardBrokenError when the disk failed, now or earlier.
   */
  decide(round: number, messageHash: Hex, referenceTimestamp: number): Promise<'recorded' | 'repeated'> {
    return this.#mutex.run(() => {
      if (this.#broken !== undefined) throw this.#broken;
      const known = this.#records.get(round);
      if (known !== undefined) {
        if (known.messageHash === messageHash.toLowerCase() && known.referenceTimestamp === referenceTimestamp) {
          return 'repeated';
        }
        throw new DoubleSignRefusedError(round, 'another batch of this round is signed already', {
          signed: known.messageHash,
          refused: messageHash,
        });
      }
      if (round <= this.#watermark) {
        throw new DoubleSignRefusedError(round, `nothing up to round ${this.#watermark} may be signed`, {
          watermark: this.#watermark,
        });
      }
      this.#append([record(round, messageHash, referenceTimestamp)]);
      if (this.#recordsInFile >= 2 * KEPT_ROUNDS) this.#compact();
      return 'recorded';
    });
  }

  /** Everything the guard knows, for another machine. Stop signing here before using it there. */
  export(): GuardExport {
    return {
      metadata: { formatVersion: '1', ...this.#scope },
      watermark: this.#watermark,
      records: [...this.#records.values()]
        .toSorted((a, b) => a.round - b.round)
        .map(({ round, messageHash, referenceTimestamp }) => ({ round, messageHash, referenceTimestamp })),
    };
  }

  /**
   * Adds what another guard of the same key knows and returns how many records were new. Throws GuardBrokenError for the
   * guard of another key, chain or contract, DoubleSignRefusedError when the two contradict each other; nothing is added then.
   */
  import(other: GuardExport): Promise<number> {
    return this.#mutex.run(() => {
      if (this.#broken !== undefined) throw this.#broken;
      if (!sameScope(this.#scope, other.metadata)) {
        throw new GuardBrokenError(
          'GUARD_BROKEN',
          'the imported guard is of another key, chain or settlement contract',
        );
      }
      const added: GuardRecord[] = [];
      for (const entry of other.records) {
        const known = this.#records.get(entry.round);
        const incoming = record(entry.round, entry.messageHash, entry.referenceTimestamp);
        if (known === undefined) {
          if (entry.round > this.#watermark) added.push(incoming);
        } else if (
          known.messageHash !== incoming.messageHash ||
          known.referenceTimestamp !== incoming.referenceTimestamp
        ) {
          throw new DoubleSignRefusedError(entry.round, 'the two guards know different batches of this round', {});
        }
      }
      const watermark: GuardRecord[] =
        other.watermark > this.#watermark
          ? [{ kind: 'watermark', round: other.watermark, messageHash: ZERO_HASH, referenceTimestamp: 0 }]
          : [];
      if (added.length + watermark.length > 0) this.#append([...added, ...watermark]);
      return added.length;
    });
  }

  /** Gives the folder back. */
  close(): Promise<void> {
    return this.#mutex.run(() => {
      this.#broken ??= new GuardBrokenError('GUARD_BROKEN', 'the guard is closed');
      closeSync(this.#descriptor);
      this.#release();
    });
  }

  #load(): void {
    const bytes = readFileSync(this.#file);
    const whole = bytes.length - (bytes.length % GUARD_RECORD_BYTES);
    let valid = 0;
    for (; valid < whole; valid += GUARD_RECORD_BYTES) {
      const slice = bytes.subarray(valid, valid + GUARD_RECORD_BYTES);
      const decoded = decodeGuardRecord(slice);
      if (decoded === undefined) {
        // A crash can leave the last record as zeros (its block was never written); no signature followed from it.
        if (valid === whole - GUARD_RECORD_BYTES && slice.every((byte) => byte === 0)) break;
        throw new GuardBrokenError(
          'GUARD_BROKEN',
          `${this.#file} is damaged at byte ${valid}: restore it from an export, or sign with another key`,
        );
      }
      if (!sameScope(this.#scope, decoded.scope)) {
        throw new GuardBrokenError('GUARD_BROKEN', `${this.#file} holds records of another key, chain or contract`);
      }
      const known = this.#records.get(decoded.record.round);
      if (known !== undefined && known.messageHash !== decoded.record.messageHash) {
        throw new GuardBrokenError('GUARD_BROKEN', `${this.#file} holds two batches of round ${decoded.record.round}`);
      }
      this.#remember(decoded.record);
      this.#recordsInFile++;
    }
    if (valid < bytes.length) {
      const descriptor = openSync(this.#file, 'r+');
      try {
        ftruncateSync(descriptor, valid);
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    }
    if (this.#recordsInFile >= 2 * KEPT_ROUNDS) this.#compact();
  }

  #append(records: readonly GuardRecord[]): void {
    const start = performance.now();
    try {
      this.#files.write(this.#descriptor, Buffer.concat(records.map((entry) => encodeGuardRecord(this.#scope, entry))));
      this.#files.sync(this.#descriptor);
    } catch (error) {
      // After a failed sync the kernel may have dropped the pages: what is on the disk is unknown until a restart reads it.
      this.#broken = new GuardBrokenError(
        'GUARD_BROKEN',
        `${this.#file} cannot be written (${errnoCode(error) ?? messageOf(error)}): nothing is signed until a restart`,
        { cause: error },
      );
      throw this.#broken;
    }
    this.#onSync((performance.now() - start) / 1000);
    for (const entry of records) this.#remember(entry);
    this.#recordsInFile += records.length;
  }

  #remember(entry: GuardRecord): void {
    if (entry.kind === 'watermark') {
      this.#watermark = Math.max(this.#watermark, entry.round);
      return;
    }
    this.#records.set(entry.round, entry);
  }

  /** Rewrites the file with the newest rounds only, under a watermark that refuses all older ones. */
  #compact(): void {
    const kept = [...this.#records.values()].toSorted((a, b) => b.round - a.round).slice(0, KEPT_ROUNDS);
    const oldest = kept.at(-1);
    const dropped = this.#records.size > kept.length && oldest !== undefined;
    const watermark = Math.max(this.#watermark, dropped ? oldest.round - 1 : 0);
    const all: GuardRecord[] = [
      { kind: 'watermark', round: watermark, messageHash: ZERO_HASH, referenceTimestamp: 0 },
      ...kept.toReversed(),
    ];
    const replacement = `${this.#file}.new`;
    try {
      const descriptor = openSync(replacement, 'w', 0o600);
      this.#files.write(descriptor, Buffer.concat(all.map((entry) => encodeGuardRecord(this.#scope, entry))));
      this.#files.sync(descriptor);
      closeSync(descriptor);
      renameSync(replacement, this.#file);
      syncFolder(path.dirname(this.#file));
      closeSync(this.#descriptor);
      this.#descriptor = openSync(this.#file, 'a', 0o600);
    } catch (error) {
      this.#broken = new GuardBrokenError('GUARD_BROKEN', `${this.#file} cannot be rewritten (${messageOf(error)})`, {
        cause: error,
      });
      throw this.#broken;
    }
    this.#records.clear();
    for (const entry of all) this.#remember(entry);
    this.#recordsInFile = all.length;
  }
}

const ZERO_HASH: Hex = `0x${'00'.repeat(32)}`;

function record(round: number, messageHash: Hex, referenceTimestamp: number): GuardRecord {
  return { kind: 'signature', round, messageHash: `0x${messageHash.slice(2).toLowerCase()}`, referenceTimestamp };
}

/** Folder of one key's guard below the data folder. */
export function guardFolder(dataDir: string, scope: GuardScope): string {
  return path.join(dataDir, 'guard', `${scope.chainId}-${scope.settlement}-${scope.keyAddress}`.toLowerCase());
}

function sameScope(a: GuardScope, b: GuardScope): boolean {
  return (
    a.chainId === b.chainId && isAddressEqual(a.settlement, b.settlement) && isAddressEqual(a.keyAddress, b.keyAddress)
  );
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
