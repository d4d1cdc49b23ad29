// Bundles, for jest, the packages that most tests load and that are made of hundreds of modules: jest reads and links every module again for
// every test file, which for viem takes longer than most tests. The code is that of the installed packages, as their ES modules have it.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ENTRIES = ['fast-check', 'ox', 'viem', 'viem/accounts', 'viem/chains', 'viem/utils', 'zod'];

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Where jest finds the bundled packages, for its `moduleNameMapper`; bundles them when other packages are installed than last time.
 * An entry of one of these packages that is not bundled is not found, so that no test ever sees a package twice.
 */
export async function bundledTestPackages() {
  const folder = await bundled();
  const names = new Set(ENTRIES.map((entry) => entry.split('/')[0]));
  return { [`^((?:${[...names].join('|')})(?:/.+)?)$`]: `${folder}/$1.mjs` };
}

async function bundled() {
  const hash = createHash('sha256');
  // npm writes down here what it installed.
  for (const file of [join(root, 'node_modules/.package-lock.json'), fileURLToPath(import.meta.url)]) {
    hash.update(readFileSync(file));
  }
  const folder = join(root, 'node_modules/.cache/matchmaker-tests', hash.digest('hex').slice(0, 16));
  if (existsSync(folder)) return folder;

  mkdirSync(dirname(folder), { recursive: true });
  const scratch = mkdtempSync(`${folder}-`);
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(ENTRIES.map((entry) => [entry, entry])),
    outdir: scratch,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // What several entries share is loaded once, so that a class is the same class everywhere.
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // Without this esbuild would prefer files that a package offers to bundlers only.
    conditions: [],
    logLevel: 'warning',
  });
  try {
    renameSync(scratch, folder);
  } catch (error) {
    // Another run was first.
    rmSync(scratch, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
