import { bundledTestPackages } from './bin/bundle-test-packages.mjs';

const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1', ...(await bundledTestPackages()) },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript' },
          experimental: { keepImportAttributes: true },
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
};

// `unit` is every test that stands beside its code or crosses folders without processes;
// `e2e` starts real processes, two suites at a time.
export default {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      roots: [
        'engine',
        'protocol',
        'chain',
        'service',
        'operator',
        'doctor',
        'aggregator',
        'watcher',
        'devnet',
        'sdk',
        'replay',
        'cli',
        'config',
        'test',
        'bench',
      ].map((folder) => `<rootDir>/${folder}`),
      testMatch: ['**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '\\.e2e\\.test\\.ts$'],
    },
    {
      ...shared,
      displayName: 'e2e',
      roots: ['<rootDir>/test'],
      testMatch: ['**/*.e2e.test.ts'],
    },
  ],
};
