// Campaigns that compare TypeScript with the contracts on random markets, for longer than the suites can.
//   npm run campaign:faults -- --planted 10000 --honest 100000 --seed 1 --json
//     Wrong batches of every kind, signed by a quorum, are proven and slashed on a chain with EigenLayer, and honest batches are challenged
//     in every way. Rounds are of either version of the rules, with --rules 1 or --rules 2 of that one alone. Prints
//     {"planted":…,"slashed":…,"kinds":…,"honestAttempts":…,"honestSlashed":…,"seed":…}; exits non-zero unless every planted batch was
//     slashed and no honest one.
//   npm run campaign:rules -- --vectors 10000000 --seed 1 --json
//     The engine and the rules that the judge executes, on pairs of an order and a machine. Prints {"vectors":…,"mismatches":…,"seed":…};
//     exits non-zero unless all were compared and none differs.
import { build } from 'esbuild';

const [, , name, ...flags] = process.argv;
await build({
  entryPoints: { [`campaign-${name}`]: `test/campaign/${name}CampaignMain.ts` },
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  sourcemap: true,
  logLevel: 'warning',
});
process.argv.splice(2, process.argv.length, ...flags);
await import(`../dist/campaign-${name}.js`);
