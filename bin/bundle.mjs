// Bundles the command line into dist/matchmaker.js and the benchmarks into dist/bench.js; packages stay external so that native and lockfile-pinned code is used as installed.
import { build } from 'esbuild';

await build({
  entryPoints: { matchmaker: 'cli/main.ts', bench: 'bench/main.ts' },
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  sourcemap: true,
  banner: { js: '#!/usr/bin/env node' },
  logLevel: 'warning',
});
