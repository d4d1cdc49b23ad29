import { writeFileSync } from 'node:fs';

import type { Command } from 'commander';
import type { Address } from 'viem';
import { z } from 'zod';

import { parseDeployment, type Deployment } from '../chain/deployment.js';
import { signerId } from '../protocol/signerId.js';
import { readGuardExport } from '../operator/guardExport.js';
import { SignGuard } from '../operator/signGuard.js';
import { bn254KeystorePublicKey } from '../service/bn254Keystore.js';
import { keystoreAddress } from '../service/keystore.js';
import { KeystoreError } from '../service/keystoreError.js';
import { loadConfig } from '../service/loadConfig.js';
import { readJsonFile } from '../service/readJsonFile.js';

interface GuardFlags {
  readonly config?: string;
  readonly deployment?: string;
  readonly keystore?: string;
  readonly dataDir?: string;
  readonly file?: string;
}

/** Registers `operator guard export|import`. */
export function registerGuardCommands(operator: Command, print: (line: string) => void): void {
  const guard = operator.command('guard').description('move the double-sign guard between machines');
  addGuardFlags(guard.command('export').description('write what the guard knows as JSON; the operator must be stopped'))
    .option('--file <file>', 'file to write; default standard output')
    .action(async (flags: GuardFlags) => {
      await withGuard(flags, async (opened) => {
        const json = JSON.stringify(opened.export(), undefined, 2);
        if (flags.file === undefined) print(json);
        else writeFileSync(flags.file, `${json}\n`, { mode: 0o600, flag: 'wx' });
      });
    });
  addGuardFlags(
    guard.command('import').description("add another machine's guard to this one; the operator must be stopped"),
  )
    .requiredOption('--file <file>', 'file that export wrote')
    .action(async (flags: GuardFlags & { file: string }) => {
      const imported = readGuardExport(flags.file);
      await withGuard(flags, async (opened) => print(JSON.stringify({ imported: await opened.import(imported) })));
    });
}

function addGuardFlags(command: Command): Command {
  return command
    .option('-c, --config <file>', 'config file of the operator; else name the three below')
    .option('--deployment <file>', 'deployment file of the market')
    .option('--keystore <file>', 'keystore of the key the guard is for')
    .option('--data-dir <folder>', "the operator's data folder");
}

const guardPaths = z.object({
  deployment: z.string().min(1),
  keystore: z.object({ path: z.string().min(1) }),
  dataDir: z.string().min(1),
});

async function withGuard(flags: GuardFlags, use: (guard: SignGuard) => Promise<void>): Promise<void> {
  const config = loadConfig(guardPaths, {
    file: flags.config,
    flags: { deployment: flags.deployment, keystore: { path: flags.keystore }, dataDir: flags.dataDir },
    pathKeys: ['deployment', 'keystore.path', 'dataDir'],
  });
  const deployment = parseDeployment(readJsonFile('deployment', config.deployment));
  const keyAddress = signerOf(deployment.quorum.curve, config.keystore.path);
  const guard = new SignGuard({
    dataDir: config.dataDir,
    scope: { chainId: deployment.chainId, settlement: deployment.contracts.matchSettlement, keyAddress },
  });
  try {
    await use(guard);
  } finally {
    await guard.close();
  }
}

/** The id of the key in a keystore, without its password. Throws KeystoreError. */
function signerOf(curve: Deployment['quorum']['curve'], file: string): Address {
  if (curve === 'bn254') return signerId(bn254KeystorePublicKey(file));
  const address = keystoreAddress(file);
  if (address !== undefined) return address;
  throw new KeystoreError('KEYSTORE_INVALID', `keystore ${file} does not name its address`);
}
