// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Numbers of the market's roles. 0 is the authority's own administrator, here the governor: it grants and revokes the others.
library MarketRoles {
    /// Sets providers' status and tier, and confirms what they say about themselves.
    uint64 internal constant PROVIDER_VERIFIER = 1;
    /// Posts challenge results of closed eras.
    uint64 internal constant SCORE_ORACLE = 2;
    /// Accredits auditors and takes back reports.
    uint64 internal constant COMPLIANCE_OFFICER = 3;
    /// Decides on proposals alone.
    uint64 internal constant PROVIDER_APPROVER = 4;
    /// Votes on proposals.
    uint64 internal constant COUNCIL = 5;
    /// Slashes providers and auditors.
    uint64 internal constant SLASHER = 6;
    /// Sets numbers, tokens and tables of the market, behind a delay.
    uint64 internal constant PARAMETERS = 7;
    /// Replaces code, behind a delay that is longer than stake takes to leave.
    uint64 internal constant UPGRADER = 8;
    /// Pauses and unpauses.
    uint64 internal constant GUARDIAN = 9;
    /// Posts reward roots.
    uint64 internal constant REWARD_POSTER = 10;
    /// Holds up and decides on reward roots.
    uint64 internal constant REWARD_GUARDIAN = 11;
}
