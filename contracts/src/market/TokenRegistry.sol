// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { MetadataReaderLib } from "solady/utils/MetadataReaderLib.sol";
import { MarketModule } from "../governance/MarketModule.sol";
import { ITokenRegistry } from "./ITokenRegistry.sol";

/// @title The payment tokens that governance has approved.
/// @dev Trusts governance to approve only plain ERC-20 tokens: no fee on transfer, no rebasing, no callbacks, decimals that never change. Upgradeable.
contract TokenRegistry is ITokenRegistry, MarketModule {
    /// Prices are in micro-units, so a token needs at least six decimals to pay them exactly.
    uint256 private constant MIN_DECIMALS = 6;
    uint256 private constant MAX_DECIMALS = 18;

    struct Token {
        address token;
        uint8 decimals;
        bool approved;
        uint256 minimumDeposit;
    }

    /// @custom:storage-location erc7201:matchmaker.storage.TokenRegistry
    struct Layout {
        mapping(uint16 tokenId => Token) tokens;
        mapping(address token => uint16) ids;
        uint16 count;
    }

    bytes32 private constant LAYOUT_SLOT = 0x1bd17126e5a14775986c5f919a191622e561679ec14383d8400adc4104c8d300;

    /// @notice Called once, in the proxy's creation.
    function initialize(address authority) external initializer {
        __AccessManaged_init(authority);
    }

    /// @inheritdoc ITokenRegistry
    function approveToken(address token, uint256 minimumDeposit) external restricted returns (uint16 tokenId) {
        if (token.code.length == 0) revert InvalidAddress();
        Layout storage state = _layout();
        if (state.ids[token] != 0) revert TokenAlreadyApproved(token, state.ids[token]);
        // 0 when the token does not say.
        uint8 decimals = MetadataReaderLib.readDecimals(token);
        if (decimals < MIN_DECIMALS || decimals > MAX_DECIMALS) revert TokenDecimalsUnsupported(decimals);
        tokenId = SafeCast.toUint16(uint256(state.count) + 1);
        state.count = tokenId;
        state.ids[token] = tokenId;
        state.tokens[tokenId] = Token({ token: token, decimals: decimals, approved: true, minimumDeposit: minimumDeposit });
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
        return _layout().tokens[tokenId].approved;
    }

    /// @inheritdoc ITokenRegistry
    function tokenOf(uint16 tokenId) external view returns (address token, uint8 decimals, uint256 minimumDeposit, bool approved) {
        Token storage entry = _existing(tokenId);
        return (entry.token, entry.decimals, entry.minimumDeposit, entry.approved);
    }

    /// @inheritdoc ITokenRegistry
    function idOf(address token) external view returns (uint16) {
        return _layout().ids[token];
    }

    /// @inheritdoc ITokenRegistry
    function tokenCount() external view returns (uint16) {
        return _layout().count;
    }

    function _existing(uint16 tokenId) private view returns (Token storage entry) {
        entry = _layout().tokens[tokenId];
        if (entry.token == address(0)) revert TokenNotFound(tokenId);
    }

    function _layout() private pure returns (Layout storage state) {
        assembly ("memory-safe") {
            state.slot := LAYOUT_SLOT
        }
    }
}
