import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import type { Address, Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';

/** A signed transaction, stored before it is sent. */
export interface SentEntry {
  readonly kind: 'sent';
  readonly nonce: number;
  readonly hash: Hex;
  readonly raw: Hex;
  readonly label: string;
  /** True for the no-op that frees the nonce. */
  readonly cancels: boolean;
  readonly deadlineBlock: number | null;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** How a nonce ended. */
export interface DoneEntry {
  readonly kind: 'done';
  readonly nonce: number;
  /** `taken`: a transaction that this journal does not know used the nonce; `refused`: the node never accepted it. */
  readonly outcome: 'mined' | 'reverted' | 'cancelled' | 'taken' | 'refused';
  readonly hash: Hex | null;
  readonly costWei: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Whose journal it is; written at every opening, which makes an earlier writer notice that it was replaced. */
interface OpenedEntry {
  readonly kind: 'opened';
  readonly chainId: number;
  readonly address: Address;
}

type JournalEntry = SentEntry | DoneEntry | OpenedEntry;

/** The journal's bytes are not those that were written; only a torn last line is repaired by itself. */
export class JournalCorruptError extends MatchmakerError<'JOURNAL_CORRUPT'> {
  constructor(file: string, line: number, what: string) {
    super(
      'JOURNAL_CORRUPT',
      `${file} line ${line}: ${what}; restore the file, or move it away when no transaction of the key is pending`,
      {
        metadata: { file, line },
      },
    );
  }
}

/** Another writer has opened the journal since, or a write failed: this one must not send any more. */
export class JournalClosedError extends MatchmakerError<'JOURNAL_CLOSED'> {
  constructor(file: string, what: string, cause?: unknown) {
    super('JOURNAL_CLOSED', `${file}: ${what}`, { metadata: { file }, cause });
  }
}

export interface NonceJournalOptions {
  readonly file: string;
  readonly chainId: number;
  readonly address: Address;
  /** Ended nonces older than this are dropped when the file is written anew, milliseconds. */
  readonly keepMs: number;
  /** Size at which the file is written anew without what has ended, bytes. Default 16 MiB. */
  readonly compactAtBytes?: number;
}

const DEFAULT_COMPACT_AT_BYTES = 16 * 1024 * 1024;

/**
 * An append-only file of every transaction a key signed, one line of `crc32 json` an entry, synced before `append` returns.
 * One writer: whoever opens it last; an earlier one is refused its next append.
 */
export class NonceJournal {
  readonly #file: string;
  readonly #options: NonceJournalOptions;
  #handle: FileHandle;
  #size: number;
  #compactAtBytes: number;
  #broken: JournalClosedError | null = null;
  /** Ends when everything appended so far is on the disk. */
  #written: Promise<unknown> = Promise.resolve();
  #pending: SentEntry[] = [];
  #done: DoneEntry[] = [];

  private constructor(
    options: NonceJournalOptions,
    handle: FileHandle,
    size: number,
    entries: readonly JournalEntry[],
  ) {
    this.#file = options.file;
    this.#options = options;
    this.#compactAtBytes = Math.max(options.compactAtBytes ?? DEFAULT_COMPACT_AT_BYTES, 2 * size);
    this.#handle = handle;
    this.#size = size;
    for (const entry of entries) this.#take(entry);
  }

  /**
   * Opens or creates a journal; a torn last line is cut off. Throws JournalCorruptError for any other damage, for another
   * key's or another chain's journal.
   */
  static async open(options: NonceJournalOptions, now: number): Promise<NonceJournal> {
    const { file, chainId, address } = options;
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    const entries = parseJournal(file, await readFile(file, 'utf8').catch(missingAsEmpty));
    for (const [index, entry] of entries.entries()) {
      if (entry.kind === 'opened' && (entry.chainId !== chainId || entry.address !== address)) {
        throw new JournalCorruptError(file, index + 1, `it belongs to ${entry.address} on chain ${entry.chainId}`);
      }
    }
    // A nonce that ended unused may be used again: what was sent ends only by what comes after it.
    const endedAt = new Map(entries.map((entry, index) => [entry.kind === 'done' ? entry.nonce : -1, index]));
    const kept = entries.filter((entry, index) =>
      entry.kind === 'sent'
        ? (endedAt.get(entry.nonce) ?? -1) < index
        : entry.kind === 'done' && entry.at > now - options.keepMs,
    );
    kept.push({ kind: 'opened', chainId, address });
    const { handle, size } = await writeAnew(file, kept);
    return new NonceJournal(options, handle, size, kept);
  }

  /** Signed transactions whose nonce has not ended, oldest first. */
  get pending(): readonly SentEntry[] {
    return this.#pending;
  }

  /** What was spent by nonces that ended after `since` (milliseconds since 1970), wei. */
  spentSince(since: number): bigint {
    this.#done = this.#done.filter((entry) => entry.at > since);
    return this.#done.reduce((sum, entry) => sum + BigInt(entry.costWei), 0n);
  }

  /**
   * Appends an entry after those that were appended before; it is on the disk when this returns. Throws JournalClosedError, from then on every
   * time.
   */
  append(entry: SentEntry | DoneEntry): Promise<void> {
    const written = this.#written.then(() => this.#append(entry));
    this.#written = written.catch(() => undefined);
    return written;
  }

  async #append(entry: SentEntry | DoneEntry): Promise<void> {
    if (this.#broken !== null) throw this.#broken;
    try {
      const [mine, named] = await Promise.all([this.#handle.stat(), stat(this.#file)]);
      if (mine.ino !== named.ino || mine.size !== this.#size) throw new Error('another process has opened it');
      const line = lineOf(entry);
      await this.#handle.appendFile(line);
      await this.#handle.datasync();
      this.#size += Buffer.byteLength(line);
      this.#take(entry);
      if (this.#size >= this.#compactAtBytes) await this.#compact(entry.at);
    } catch (cause) {
      this.#broken = new JournalClosedError(
        this.#file,
        `no entry can be written (${cause instanceof Error ? cause.message : String(cause)})`,
        cause,
      );
      throw this.#broken;
    }
  }

  /** Writes the file anew without raw transactions of nonces that ended and without what is too old to count. */
  async #compact(now: number): Promise<void> {
    const { chainId, address, keepMs, compactAtBytes } = this.#options;
    this.#done = this.#done.filter((entry) => entry.at > now - keepMs);
    const old = this.#handle;
    const { handle, size } = await writeAnew(this.#file, [
      ...this.#done,
      ...this.#pending,
      { kind: 'opened', chainId, address },
    ]);
    this.#handle = handle;
    this.#size = size;
    this.#compactAtBytes = Math.max(compactAtBytes ?? DEFAULT_COMPACT_AT_BYTES, 2 * size);
    await old.close();
  }

  async close(): Promise<void> {
    this.#broken ??= new JournalClosedError(this.#file, 'it was closed');
    await this.#handle.close();
  }

  #take(entry: JournalEntry): void {
    if (entry.kind === 'sent') this.#pending.push(entry);
    if (entry.kind !== 'done') return;
    this.#pending = this.#pending.filter(({ nonce }) => nonce !== entry.nonce);
    this.#done.push(entry);
  }
}

/** Puts a new file in place of the old one, so that a crash leaves either whole. */
async function writeAnew(
  file: string,
  entries: readonly JournalEntry[],
): Promise<{ handle: FileHandle; size: number }> {
  const text = entries.map(lineOf).join('');
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'w', 0o600);
  await handle.writeFile(text);
  await handle.sync();
  await rename(temporary, file);
  await syncDirectory(path.dirname(file));
  return { handle, size: Buffer.byteLength(text) };
}

function parseJournal(file: string, text: string): JournalEntry[] {
  const lines = text.split('\n');
  // What follows the last line end was torn off by a crash.
  lines.pop();
  return lines.map((line, index) => {
    const json = line.slice(9);
    if (line.slice(0, 9) !== `${checksum(json)} `)
      throw new JournalCorruptError(file, index + 1, 'its checksum does not hold');
    const entry: JournalEntry = JSON.parse(json);
    return entry;
  });
}

function lineOf(entry: JournalEntry): string {
  const json = JSON.stringify(entry);
  return `${checksum(json)} ${json}\n`;
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0');
}

function missingAsEmpty(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
