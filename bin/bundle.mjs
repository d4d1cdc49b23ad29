// Bundles the command line into dist/matchmaker.js, the benchmarks into dist/bench.js and dist/benchEngine.js, and beside them their threads:
// dist/verificationWorker.js checks signatures, dist/benchEngineThread.js matches and judges for the engine's benchmark. Commands start in half the time when pure packages are part of the bundle, and when what a service needs is
// loaded by the command that starts it. Packages with native code, or with files or threads of their own, are used as installed.
import { build } from 'esbuild';

await build({
  entryPoints: {
    matchmaker: 'cli/main.ts',
    bench: 'bench/main.ts',
    benchLoad: 'bench/load/main.ts',
    benchSubmission: 'bench/submission/main.ts',
    operatorHost: 'bench/submission/operatorHost.ts',
    benchEngine: 'bench/engine/main.ts',
    benchEngineThread: 'bench/engine/benchThread.ts',
    verificationWorker: 'service/signing/verificationWorker.ts',
  },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  external: [
    '@foundry-rs/*',
    'bullmq',
    'fastify',
    'ioredis',
    'js-redis-server',
    'mcl-wasm',
    'pino',
    'prom-client',
    'secp256k1',
  ],
  sourcemap: true,
  // CommonJS packages ask for Node's modules by `require`.
  banner: {
    js: '#!/usr/bin/env node\nimport { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
  },
  logLevel: 'warning',
});
