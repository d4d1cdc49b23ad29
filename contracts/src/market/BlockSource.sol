// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The part of Arbitrum's precompile that tells L2 blocks apart from L1 blocks.
interface IArbSys {
    function arbBlockNumber() external view returns (uint256);
    /// @notice Reverts for blocks that are not among the last 256.
    function arbBlockHash(uint256 blockNumber) external view returns (bytes32);
}

/// @title The chain's own block numbers and hashes.
/// @dev On Arbitrum chains `block.number` and `blockhash` speak of L1. Whoever deploys says which chain this is; a wrong answer makes
/// rounds of L1 blocks, or a contract that reverts on every call, so deployment scripts check it against a live block number.
abstract contract BlockSource {
    IArbSys private constant ARB_SYS = IArbSys(address(0x64));
    /// Hashes of older blocks are unknown to both sources.
    uint256 private constant HASHES_KEPT = 256;

    bool private immutable _ARBITRUM;

    constructor(bool arbSys) {
        _ARBITRUM = arbSys;
    }

    /// @notice Number of the block this runs in.
    function _blockNumber() internal view returns (uint256) {
        return _ARBITRUM ? ARB_SYS.arbBlockNumber() : block.number;
    }

    /// @notice Hash of one of the last 256 blocks, zero for any other, the current one included.
    function _blockHash(uint256 blockNumber) internal view returns (bytes32) {
        if (!_ARBITRUM) return blockhash(blockNumber);
        uint256 current = ARB_SYS.arbBlockNumber();
        if (blockNumber >= current || current - blockNumber > HASHES_KEPT) return 0;
        return ARB_SYS.arbBlockHash(blockNumber);
    }
}
