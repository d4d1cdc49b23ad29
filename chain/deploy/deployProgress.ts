import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import type { Address, Hex } from 'viem';
import { z } from 'zod';
import { MatchmakerError } from '../../engine/error.js';
import { addressSchema } from '../addressSchema.js';

const progressSchema = z.strictObject({
  chainId: z.int().positive(),
  deployer: addressSchema,
  /** The chain's height when the deployment began; nothing of it is older. */
  firstBlock: z.int().min(0),
  contracts: z.record(
    z.string(),
    z.strictObject({
      address: addressSchema,
      initCodeHash: z.templateLiteral(['0x', z.string().regex(/^[0-9a-f]{64}$/)]),
    }),
  ),
  /** What was last announced, by what it is about; some of it cannot be read from the chain. */
  announced: z.record(z.string(), z.string()),
});

type Progress = z.infer<typeof progressSchema>;

/** Whose deployment it is, and where. */
export interface DeployIdentity {
  readonly chainId: number;
  readonly deployer: Address;
  readonly firstBlock: number;
}

/** The file of an unfinished deployment is of another one, or is none. */
export class DeployProgressError extends MatchmakerError<'DEPLOY_PROGRESS'> {
  constructor(file: string, problem: string) {
    super('DEPLOY_PROGRESS', `${file}: ${problem}; deploy with its key on its chain, or name another --out folder`, {
      metadata: { file },
    });
  }
}

/** What a deployment has done so far, on disk before it is done, so that calling again finishes what was interrupted. */
export class DeployProgress {
  readonly #file: string | null;
  readonly #state: Progress;

  private constructor(file: string | null, state: Progress) {
    this.#file = file;
    this.#state = state;
  }

  /** Progress that ends with this process, for chains that do too. */
  static inMemory(identity: DeployIdentity): DeployProgress {
    return new DeployProgress(null, begun(identity));
  }

  /** Progress in a file, which is read where there is one. Throws DeployProgressError and the errors of the file system. */
  static open(file: string, identity: DeployIdentity): DeployProgress {
    if (!existsSync(file)) return new DeployProgress(file, begun(identity));
    const state = readState(file);
    const { chainId, deployer } = identity;
    if (state.chainId !== chainId) throw new DeployProgressError(file, `was begun on chain ${state.chainId}`);
    if (state.deployer !== deployer.toLowerCase())
      throw new DeployProgressError(file, `was begun by ${state.deployer}`);
    return new DeployProgress(file, state);
  }

  get firstBlock(): number {
    return this.#state.firstBlock;
  }

  /** Where a contract is, or was about to be. */
  contract(name: string): { readonly address: Address; readonly initCodeHash: Hex } | undefined {
    return this.#state.contracts[name];
  }

  /** To be called before the transaction is sent. */
  noteContract(name: string, address: Address, initCodeHash: Hex): void {
    this.#state.contracts[name] = { address, initCodeHash };
    this.#store();
  }

  isAnnounced(subject: string, text: string): boolean {
    return this.#state.announced[subject] === text;
  }

  /** To be called once the transaction is mined. */
  noteAnnounced(subject: string, text: string): void {
    this.#state.announced[subject] = text;
    this.#store();
  }

  #store(): void {
    if (this.#file === null) return;
    const next = `${this.#file}.next`;
    const handle = openSync(next, 'w');
    try {
      writeSync(handle, `${JSON.stringify(this.#state, null, 2)}\n`);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(next, this.#file);
  }
}

function begun({ chainId, deployer, firstBlock }: DeployIdentity): Progress {
  return { chainId, deployer: deployer.toLowerCase() as Address, firstBlock, contracts: {}, announced: {} };
}

function readState(file: string): Progress {
  try {
    return progressSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError) {
      throw new DeployProgressError(file, 'is no file of an unfinished deployment');
    }
    throw error;
  }
}
