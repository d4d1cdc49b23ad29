import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Deployment } from '../deployment.js';
import type { MarketContent } from './marketState.js';
import { decodeSnapshot, encodeSnapshot, SnapshotRefusedError } from './snapshotFormat.js';

/** A market's state in a file of this node, from which it starts again without the whole history. */
export class LocalSnapshot {
  readonly #file: string;
  readonly #deployment: Deployment;

  constructor(file: string, deployment: Deployment) {
    this.#file = file;
    this.#deployment = deployment;
  }

  /**
   * What was kept last; null when nothing was. Throws SnapshotRefusedError for a file that is damaged, of another version or of another
   * market, or that cannot be read.
   */
  async load(): Promise<MarketContent | null> {
    let file: Buffer;
    try {
      file = await readFile(this.#file);
    } catch (cause) {
      if (typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'ENOENT') return null;
      throw new SnapshotRefusedError(`it cannot be read (${cause instanceof Error ? cause.message : String(cause)})`, {
        cause,
      });
    }
    return decodeSnapshot(this.#deployment, file);
  }

  /**
   * Keeps a state, whole or not at all, in the place of the one before. The state must not go on until this resolves, to the bytes
   * written. Throws what the disk throws.
   */
  async save(content: MarketContent): Promise<number> {
    const folder = path.dirname(this.#file);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const draft = `${this.#file}.${process.pid}.new`;
    let bytes = 0;
    try {
      const handle = await open(draft, 'w', 0o600);
      try {
        for (const part of encodeSnapshot(this.#deployment, content)) {
          await handle.writeFile(part);
          bytes += part.length;
        }
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(draft, this.#file);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
    // The new name is on the disk only once the folder is.
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    return bytes;
  }

  /** Removes what was kept. */
  async discard(): Promise<void> {
    await rm(this.#file, { force: true });
  }
}
