// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice P0, the whole of a provider's standing in the score:
/// 224 stakeWhole32 | 221 status3 | 218 tier3 | 204 uptimeBps14 | 190 reputationBps14 (0x3fff = not measured) | 182 slashes8
/// | 128 attributes54 | 32*i report i of four: 26 standard6 | 10 expiryDay16 | 0 bps10.
type ProviderWord is uint256;

using ProviderWordLib for ProviderWord global;

library ProviderWordLib {
    /// @notice Uptime or reputation that nobody has measured yet; the policy's default counts.
    uint256 internal constant UNMEASURED = 0x3fff;

    uint256 private constant ATTRIBUTES_MASK = 0x3fffffffffffff;
    /// 14 bits uptime, 14 bits reputation.
    uint256 private constant SCORES_MASK = 0xfffffff;

    function encode(uint256 status_, uint256 tier_) internal pure returns (ProviderWord) {
        return ProviderWord.wrap((status_ << 221) | (tier_ << 218) | (UNMEASURED << 204) | (UNMEASURED << 190));
    }

    function stakeWhole(ProviderWord provider) internal pure returns (uint256) {
        return ProviderWord.unwrap(provider) >> 224;
    }

    function status(ProviderWord provider) internal pure returns (uint256) {
        return (ProviderWord.unwrap(provider) >> 221) & 7;
    }

    function tier(ProviderWord provider) internal pure returns (uint256) {
        return (ProviderWord.unwrap(provider) >> 218) & 7;
    }

    function uptimeBps(ProviderWord provider) internal pure returns (uint256) {
        return (ProviderWord.unwrap(provider) >> 204) & 0x3fff;
    }

    function reputationBps(ProviderWord provider) internal pure returns (uint256) {
        return (ProviderWord.unwrap(provider) >> 190) & 0x3fff;
    }

    function slashes(ProviderWord provider) internal pure returns (uint256) {
        return (ProviderWord.unwrap(provider) >> 182) & 0xff;
    }

    function attributes(ProviderWord provider) internal pure returns (uint256) {
        return (ProviderWord.unwrap(provider) >> 128) & ATTRIBUTES_MASK;
    }

    function report(ProviderWord provider, uint256 index) internal pure returns (uint256) {
        return (ProviderWord.unwrap(provider) >> (32 * index)) & 0xffffffff;
    }

    function withStakeWhole(ProviderWord provider, uint256 value) internal pure returns (ProviderWord) {
        return ProviderWord.wrap((ProviderWord.unwrap(provider) & type(uint224).max) | (value << 224));
    }

    function withStatus(ProviderWord provider, uint256 value) internal pure returns (ProviderWord) {
        return ProviderWord.wrap((ProviderWord.unwrap(provider) & ~(uint256(7) << 221)) | (value << 221));
    }

    function withTier(ProviderWord provider, uint256 value) internal pure returns (ProviderWord) {
        return ProviderWord.wrap((ProviderWord.unwrap(provider) & ~(uint256(7) << 218)) | (value << 218));
    }

    function withAttributes(ProviderWord provider, uint256 value) internal pure returns (ProviderWord) {
        return ProviderWord.wrap((ProviderWord.unwrap(provider) & ~(ATTRIBUTES_MASK << 128)) | (value << 128));
    }

    function withScores(ProviderWord provider, uint256 uptimeBps_, uint256 reputationBps_) internal pure returns (ProviderWord) {
        return ProviderWord.wrap((ProviderWord.unwrap(provider) & ~(SCORES_MASK << 190)) | (uptimeBps_ << 204) | (reputationBps_ << 190));
    }

    function withSlashes(ProviderWord provider, uint256 value) internal pure returns (ProviderWord) {
        return ProviderWord.wrap((ProviderWord.unwrap(provider) & ~(uint256(0xff) << 182)) | (value << 182));
    }

    function withReport(ProviderWord provider, uint256 index, uint256 report_) internal pure returns (ProviderWord) {
        return ProviderWord.wrap((ProviderWord.unwrap(provider) & ~(uint256(0xffffffff) << (32 * index))) | (report_ << (32 * index)));
    }
}
