// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AccessManaged } from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { MetadataReaderLib } from "solady/utils/MetadataReaderLib.sol";
import { ITokenRegistry } from "./ITokenRegistry.sol";

/// @title The payment tokens that governance has approved.
/// @dev Trusts governance to approve only plain ERC-20 tokens: no fee on transfer, no rebasing, no callbacks, decimals that never change.
contract TokenRegistry is ITokenRegistry, AccessManaged {
    /// Prices are in micro-units, so a token needs at least six decimals to pay them exactly.
    uint256 private constant MIN_DECIMALS = 6;
    uint256 private constant MAX_DECIMALS = 18;

    struct Token {
        address token;
        uint8 decimals;
        bool approved;
        uint256 minimumDeposit;
    }

    mapping(uint16 tokenId => Token) private _tokens;
    mapping(address token => uint16) private _ids;
    uint16 private _count;

    constructor(address authority) AccessManaged(authority) { }

    /// @inheritdoc ITokenRegistry
    function approveToken(address token, uint256 minimumDeposit) external restricted returns (uint16 tokenId) {
        if (token.code.length == 0) revert InvalidAddress();
        if (_ids[token] != 0) revert TokenAlreadyApproved(token, _ids[token]);
        // 0 when the token does not say.
        uint8 decimals = MetadataReaderLib.readDecimals(token);
        if (decimals < MIN_DECIMALS || decimals > MAX_DECIMALS) revert TokenDecimalsUnsupported(decimals);
        tokenId = SafeCast.toUint16(uint256(_count) + 1);
        _count = tokenId;
        _ids[token] = tokenId;
        _tokens[tokenId] = Token({ token: token, decimals: decimals, approved: true, minimumDeposit: minimumDeposit });
        emit TokenApproved(tokenId, token, MetadataReaderLib.readSymbol(token, 32), decimals, minimumDeposit);
    }

    /// @inheritdoc ITokenRegistry
    function revokeToken(uint16 tokenId) external restricted {
        Token storage entry = _existing(tokenId);
        if (!entry.approved) revert TokenNotApproved(tokenId);
        entry.approved = false;
        emit TokenRevoked(tokenId);
    }

    /// @inheritdoc ITokenRegistry
    function reinstateToken(uint16 tokenId) external restricted {
        Token storage entry = _existing(tokenId);
        if (entry.approved) revert TokenAlreadyApproved(entry.token, tokenId);
        entry.approved = true;
        emit TokenReinstated(tokenId);
    }

    /// @inheritdoc ITokenRegistry
    function isApproved(uint16 tokenId) external view returns (bool) {
        return _tokens[tokenId].approved;
    }

    /// @inheritdoc ITokenRegistry
    function tokenOf(uint16 tokenId) external view returns (address token, uint8 decimals, uint256 minimumDeposit, bool approved) {
        Token storage entry = _existing(tokenId);
        return (entry.token, entry.decimals, entry.minimumDeposit, entry.approved);
    }

    /// @inheritdoc ITokenRegistry
    function idOf(address token) external view returns (uint16) {
        return _ids[token];
    }

    /// @inheritdoc ITokenRegistry
    function tokenCount() external view returns (uint16) {
        return _count;
    }

    function _existing(uint16 tokenId) private view returns (Token storage entry) {
        entry = _tokens[tokenId];
        if (entry.token == address(0)) revert TokenNotFound(tokenId);
    }
}
