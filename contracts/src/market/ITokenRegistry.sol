// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The payment tokens that governance has approved.
interface ITokenRegistry {
    event TokenApproved(uint16 indexed tokenId, address indexed token, string symbol, uint8 decimals, uint256 minimumDeposit);
    event TokenRevoked(uint16 indexed tokenId);
    event TokenReinstated(uint16 indexed tokenId);

    error TokenAlreadyApproved(address token, uint16 tokenId);
    error TokenNotFound(uint16 tokenId);
    /// @notice The token is revoked already.
    error TokenNotApproved(uint16 tokenId);
    error TokenDecimalsUnsupported(uint8 decimals);
    error InvalidAddress();

    function approveToken(address token, uint256 minimumDeposit) external returns (uint16 tokenId);
    /// @notice No new orders, offers or deposits in the token; withdrawals go on.
    function revokeToken(uint16 tokenId) external;
    function reinstateToken(uint16 tokenId) external;

    function isApproved(uint16 tokenId) external view returns (bool);
    function tokenOf(uint16 tokenId) external view returns (address token, uint8 decimals, uint256 minimumDeposit, bool approved);
    function idOf(address token) external view returns (uint16);
    function tokenCount() external view returns (uint16);
}
