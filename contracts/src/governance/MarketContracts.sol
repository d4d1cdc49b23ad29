// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Where every contract of one market lives; each is told all of them before they exist. Of an upgradeable one it is the proxy.
struct MarketContracts {
    address authority;
    address pause;
    address tokenRegistry;
    address matchPolicy;
    address stakingManager;
    address complianceRegistry;
    address providerRegistry;
    address providerAdmission;
    address providerAttributes;
    address certificateRegistry;
    address escrow;
    address orderRequest;
    address bid;
    address computeLease;
    address matchSettlement;
    address signedCalls;
    address rewardOracle;
    address rewarder;
}
