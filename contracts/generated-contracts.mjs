// Contracts whose ABI and creation code the TypeScript side uses.
export const contracts = [
  'TokenRegistry',
  'MatchPolicy',
  'ProviderRegistry',
  'StakingManager',
  'ComplianceRegistry',
  'Escrow',
  'OrderRequest',
  'ComputeLease',
  'MatchSettlement',
  'MarketAuthority',
  'DevnetToken',
];
