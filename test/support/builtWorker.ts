import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Bundles the thread that checks signatures as bin/bundle.mjs does, for tests that run from source. It lies below
 * node_modules, where it finds the packages that stay outside of the bundle.
 */
export async function buildVerificationWorker(): Promise<{ file: string; remove: () => void }> {
  const cache = path.join(ROOT, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(path.join(cache, 'verification-worker-'));
  const file = path.join(folder, 'verificationWorker.mjs');
  await build({
    entryPoints: [path.join(ROOT, 'service/signing/verificationWorker.ts')],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
  });
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
